package org.pikv4j.session;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.scheduling.Replay;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.decode.Decoder;
import org.pikv4j.decode.Span;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.model.LoadedModel;

/**
 * Lets the model read a sequence's newest text again, piece by piece, while its policy watches (KVzip, arXiv 2505.23416, §3.2). Each
 * piece stands behind an instruction and the tokens before it, and is forgotten before the next. Runs on the engine's thread.
 */
final class Replays {
    /** A piece shorter than this is not worth its instruction. */
    private static final int LEAST_PIECE = 16;

    private final Decoder decoder;
    private final LoadedModel model;

    Replays(Decoder decoder, LoadedModel model) {
        this.decoder = decoder;
        this.model = model;
    }

    /**
     * Reads again what has not been read again so far. Where memory is short pieces get shorter; what there is no room for at all the
     * policy has to judge without.
     */
    void run(Session session, Replay replay) {
        run(session, replay, session);
    }

    /**
     * @param session whose text is read again
     * @param replay how
     * @param waiting who waits for it: when that one's call is cancelled, the rest is not read
     */
    void run(Session session, Replay replay, Session waiting) {
        SequenceCache cache = session.cache();
        CacheSchedule schedule = cache.schedule().orElseThrow();
        int[] tokens = Arrays.copyOf(session.tokenList().ids(), cache.length());
        int[] instruction = model.hasTokenizer() ? model.tokenizer().encode(replay.instruction(), false) : new int[0];
        int rows = Math.min(schedule.replayRows(cache), decoder.maxRows());
        int from = schedule.replayed();
        schedule.beginReplay();
        try {
            while (from < tokens.length
                    && rows >= LEAST_PIECE
                    && !waiting.cancelled()
                    && !waiting.closed()
                    && !session.closed()) {
                int[] before = prefix(instruction, tokens, from, replay.recalled(), rows - LEAST_PIECE);
                int count = Math.min(Math.min(replay.tokens(), rows - before.length), tokens.length - from);
                int[] ids = IntStream.concat(Arrays.stream(before), Arrays.stream(tokens, from, from + count))
                        .toArray();
                try {
                    cache.reserveForReplay(ids.length);
                } catch (KvBudgetExceededException e) {
                    rows /= 2;
                    continue;
                }
                decoder.rehearse(new Span(cache, ids, 0, ids.length, Span.Logits.NONE));
                from += count;
            }
        } finally {
            schedule.endReplay(from);
        }
    }

    /** What stands before a piece: all of it, or as much of the text's end as there is room for. */
    private static int[] prefix(int[] instruction, int[] tokens, int from, int recalled, int most) {
        int[] text = Arrays.copyOfRange(tokens, Math.max(0, from - recalled), from);
        int[] all = IntStream.concat(Arrays.stream(instruction), Arrays.stream(text))
                .toArray();
        return all.length <= most ? all : Arrays.copyOfRange(text, Math.max(0, text.length - most), text.length);
    }
}
