package org.pikv4j.session;

import java.util.List;
import java.util.function.Supplier;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.cache.control.BudgetController;
import org.pikv4j.cache.control.HeldPages;
import org.pikv4j.cache.control.Ladder;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.error.ShardFailedException;
import org.pikv4j.memory.ByteSize;

/**
 * Makes room under {@code --kv auto}, whoever's pages that takes. Before anything is lost that matters, forms below 8 bit or tokens, the
 * model reads again what it did not read again so far, while there still is room for that. Runs on the engine's thread.
 */
final class OneBudget {
    /** Of the budget, what is freed at once: deciding looks at all pages. */
    private static final int STEPS = 32;

    private final BudgetController controller;
    private final Replays replays;
    private final Supplier<List<Session>> sessions;
    private final long budgetBytes;

    /**
     * @param controller decides
     * @param replays lets the model read again
     * @param sessions all there are
     * @param budgetBytes what the cache may take
     */
    OneBudget(BudgetController controller, Replays replays, Supplier<List<Session>> sessions, long budgetBytes) {
        this.controller = controller;
        this.replays = replays;
        this.sessions = sessions;
        this.budgetBytes = budgetBytes;
    }

    BudgetController controller() {
        return controller;
    }

    /**
     * Makes room in the pool.
     *
     * @param asking who finds none
     * @param rows for how many rows
     * @param batch sessions that have room reserved, and must not read again
     * @return bytes freed
     */
    long make(Session asking, int rows, List<Session> batch) {
        List<Session> all = sessions.get();
        HeldPages held = held(all);
        long wanted = wanted(asking, rows);
        boolean matters = controller.nearlyFree(held) < 2 * wanted; // what comes next does
        long freed = controller.shrink(held, wanted);
        if (matters && freed == 0) {
            freed = controller.free(held, wanted); // by what was read again before; the rest could be worth everything
        }
        if (matters) {
            all.stream().filter(session -> !batch.contains(session)).forEach(session -> replay(session, asking));
        }
        return freed < wanted ? freed + controller.free(held, wanted - freed) : freed;
    }

    private HeldPages held(List<Session> mayGiveWay) {
        return controller.held(caches(mayGiveWay), caches(sessions.get()));
    }

    private static List<SequenceCache> caches(List<Session> of) {
        return of.stream().map(Session::cache).toList();
    }

    /** As much as is asked for, and some more, as long as somebody will need it. */
    private long wanted(Session asking, int rows) {
        SequenceCache cache = asking.cache();
        int rest = asking.tokenList().size() - cache.length();
        long ahead =
                rest > 1 ? cache.bytesFor(Math.max(rows, rest)) : Long.MAX_VALUE; // who decodes goes on, who reads ends
        return Math.max(cache.bytesFor(rows), Math.min(budgetBytes / STEPS, ahead));
    }

    /** In the room that was made for other rows, and is free again behind it; no longer than somebody waits for these. */
    private void replay(Session session, Session waiting) {
        SequenceCache cache = session.cache();
        cache.schedule().flatMap(schedule -> schedule.replayDue(cache)).ifPresent(replay -> {
            try {
                replays.run(session, replay, waiting);
            } catch (ShardFailedException e) {
                if (session.equals(waiting)) {
                    throw e;
                }
                // Another session's shard: what it has is judged by what is known of it.
            }
        });
    }

    /**
     * @param cache a sequence for which there is no room as it is
     * @param wanted rows to come
     * @return as many of them as shall come at once
     */
    int rowsAtOnce(SequenceCache cache, int wanted) {
        int page = cache.layout().layers().getFirst().open().tokens();
        int rows = wanted;
        while (rows > page && cache.bytesFor(rows) > Ladder.rowsBytes(budgetBytes)) {
            rows = Math.max(page, rows / 2 / AttentionPlan.TILE_ROWS * AttentionPlan.TILE_ROWS);
        }
        return rows;
    }

    /**
     * Makes one session smaller, whatever the budget; pages that others share stay as they are.
     *
     * @param session the session
     * @param bytes what it may take then
     * @throws KvBudgetExceededException if what must stay takes more; it is as small as it can be then
     */
    void shrink(Session session, long bytes) {
        SequenceCache cache = session.cache();
        HeldPages held = held(List.of(session));
        long over = cache.bytes() - bytes;
        if (over > controller.nearlyFree(held)) {
            replay(session, session);
        }
        if (over > 0 && controller.free(held, over) < over) {
            throw new KvBudgetExceededException("what must stay of the session takes " + ByteSize.format(cache.bytes())
                    + ", which is more than " + ByteSize.format(bytes));
        }
    }
}
