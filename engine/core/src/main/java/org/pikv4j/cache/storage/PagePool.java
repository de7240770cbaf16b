package org.pikv4j.cache.storage;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.text.Plural;

/**
 * The owner of every slab of a cache: hands out pages, counts references, and keeps two exact accounts. <em>Held</em> is
 * what pages in memory take; <em>reserved</em> is what slabs take from the operating system; held ≤ reserved ≤ budget, always.
 * A slab goes back as soon as its last page does. Pages that have moved to a {@link SecondTier} have an account of their own.
 *
 * <p>Safe for use by many threads; pages are written by one at a time.
 */
public final class PagePool implements AutoCloseable {
    private final long budgetBytes;
    private final long keptBytes;
    private final SlabStore here;
    private final List<SlabStore> shards = new ArrayList<>();
    private long peakHeldBytes;
    private volatile boolean measuresLoss;
    private long openBytes;
    private long refusedPages;
    private long encodedPages;
    private long encodingNanos;
    private TierUsage tier = new TierUsage(0, 0, 0, 0);

    /**
     * @param allocator where slabs come from
     * @param budgetBytes the most that may be reserved, here and on shards
     */
    public PagePool(SlabAllocator allocator, long budgetBytes) {
        this.budgetBytes = budgetBytes;
        this.keptBytes = 0;
        this.here = new SlabStore(Page.HERE, allocator, budgetBytes);
    }

    /**
     * A pool whose pages may be brought into smaller forms when it is full, which needs some room for both.
     *
     * @param allocator where slabs come from
     * @param budgetBytes the most that may be reserved
     * @param keptBytes of these, what new pages do not get; no slab is larger, unless a page is
     */
    public PagePool(SlabAllocator allocator, long budgetBytes, long keptBytes) {
        this.budgetBytes = budgetBytes;
        this.keptBytes = keptBytes;
        this.here = new SlabStore(Page.HERE, allocator, budgetBytes, keptBytes);
    }

    /**
     * Adds a shard that pages may move to.
     *
     * @param allocator where its slabs come from
     * @param capacityBytes the most that may be reserved there
     * @return its number, from 0
     */
    public synchronized int addShard(SlabAllocator allocator, long capacityBytes) {
        shards.add(
                keptBytes == 0
                        ? new SlabStore(shards.size(), allocator, capacityBytes)
                        : new SlabStore(shards.size(), allocator, capacityBytes, (long)
                                ((double) keptBytes * capacityBytes / budgetBytes)));
        return shards.size() - 1;
    }

    /**
     * @param shard number of a shard
     * @return bytes of the pages there
     */
    public synchronized long heldBytes(int shard) {
        return store(shard).heldBytes();
    }

    /**
     * @param shard number of a shard
     * @return the most that it may hold
     */
    public synchronized long capacityBytes(int shard) {
        return store(shard).capacityBytes();
    }

    /**
     * @param shard number of a shard
     * @return number of pages there
     */
    public synchronized long pages(int shard) {
        return store(shard).pages();
    }

    private SlabStore store(int shard) {
        return shard == Page.HERE ? here : shards.get(shard);
    }

    private Stream<SlabStore> stores() {
        return Stream.concat(Stream.of(here), shards.stream());
    }

    private long sum(ToLongFunction<SlabStore> of) {
        return stores().mapToLong(of).sum();
    }

    /**
     * Takes a page that stays in its form.
     *
     * @param layout its layout
     * @param position position of its first token
     * @return an empty page with one reference
     * @throws KvBudgetExceededException if it does not fit the budget; nothing has changed then
     */
    public synchronized Page allocate(PageLayout layout, int position) {
        return take(layout, position, Optional.empty());
    }

    /**
     * Takes a page that shall be sealed, and room for its sealed form.
     *
     * @param layout its layout
     * @param sealed the sealed form's layout
     * @param position position of its first token
     * @return an empty page with one reference
     * @throws KvBudgetExceededException if they do not fit the budget; nothing has changed then
     */
    synchronized Page allocate(PageLayout layout, PageLayout sealed, int position) {
        Page target = take(sealed, position, Optional.empty());
        Page page;
        try {
            page = take(layout, position, Optional.of(target));
        } catch (Throwable t) {
            release(target);
            throw t;
        }
        openBytes += (long) layout.pageBytes() + sealed.pageBytes();
        return page;
    }

    private Page take(PageLayout layout, int position, Optional<Page> target) {
        return take(layout, position, target, room() - keptBytes);
    }

    private Page take(PageLayout layout, int position, Optional<Page> target, long room) {
        SizeClass.Block block = here.take(layout.pageBytes(), room)
                .orElseThrow(() -> new KvBudgetExceededException("kv-budget " + ByteSize.format(budgetBytes)
                        + " is used up: " + ByteSize.format(sum(SlabStore::heldBytes)) + " held in "
                        + Plural.of(sum(SlabStore::pages), "page") + ", another page takes "
                        + ByteSize.format(layout.pageBytes())
                        + "; raise the budget, shorten the context, or close sessions"));
        return taken(block, layout, position, target);
    }

    private Page taken(SizeClass.Block block, PageLayout layout, int position, Optional<Page> target) {
        peakHeldBytes = Math.max(peakHeldBytes, sum(SlabStore::heldBytes));
        return new Page(block, layout, position, target);
    }

    /** A page beside another one, or here if its shard has no room for both. */
    private Page takeBeside(Page page, PageLayout layout) {
        return store(page.shard())
                .take(layout.pageBytes(), room())
                .map(block -> taken(block, layout, page.position(), Optional.empty()))
                .orElseGet(() -> take(layout, page.position(), Optional.empty(), room()));
    }

    private long room() {
        return budgetBytes - sum(SlabStore::reservedBytes);
    }

    /**
     * Adds a reference.
     *
     * @param page a page in use
     */
    public synchronized void retain(Page page) {
        if (page.references <= 0) {
            throw new IllegalStateException("retained after its last release");
        }
        page.references++;
    }

    /**
     * Drops a reference; the last one gives the page back.
     *
     * @param page a page in use
     */
    public synchronized void release(Page page) {
        if (page.references <= 0) {
            throw new IllegalStateException("released more often than retained");
        }
        page.references--;
        if (page.references == 1 && page.sealing().filter(Sealing::cancel).isPresent()) {
            page.references--; // the encoder's, who has not come to it: nobody else wants it
        }
        if (page.references > 0) {
            return;
        }
        if (page.tier().isPresent()) {
            onTier(page.tier().get(), -1, page, () -> page.tier().get().give(page.block()));
            return;
        }
        page.target().ifPresent(target -> giveUp(page, target));
        leaveMemory(page.block());
    }

    private void leaveMemory(SizeClass.Block block) {
        store(block.cut().owner().shard()).give(block);
    }

    /**
     * Moves a page to a shard, or back here, for all who share it.
     *
     * @param page a full page in memory, in the form that it keeps
     * @param shard number of a shard, or {@link Page#HERE}
     * @return whether there was room for it
     */
    synchronized boolean place(Page page, int shard) {
        if (page.shard() == shard) {
            return true;
        }
        Optional<SizeClass.Block> block = store(shard).take(page.layout().pageBytes(), room());
        block.ifPresent(to -> {
            to.bytes().copyFrom(page.block().bytes());
            leaveMemory(page.moveTo(to));
        });
        return block.isPresent();
    }

    /**
     * Makes a page that has the same tokens in another form, of what this one holds, where that one is, if there is room.
     *
     * @param page a full page in memory, in the form that it has for good
     * @param layout of the other form
     * @return the page, with one reference; empty if that form does not take these numbers, which the page remembers
     * @throws KvBudgetExceededException if there is no room for both, not even in what is kept for this; nothing has changed then
     */
    public Optional<Page> reformed(Page page, PageLayout layout) {
        long started = System.nanoTime();
        Page empty;
        synchronized (this) {
            empty = takeBeside(page, layout);
        }
        Optional<Page> made = Optional.empty();
        try {
            if (Reencoding.encode(page, empty)) {
                Page same = page.placed(empty);
                if (measuresLoss) {
                    same.summary().error(page.summary().error() + Reencoding.lost(page, same));
                }
                made = Optional.of(same);
            }
        } finally {
            if (made.isEmpty()) {
                release(empty);
            }
        }
        if (made.isPresent()) {
            encoded(System.nanoTime() - started);
        } else {
            synchronized (this) {
                refusedPages++;
                page.fix();
            }
        }
        return made;
    }

    /**
     * Moves pages together, each where it is, so that slabs that are nearly empty go back; what the pages hold is the same.
     *
     * @param pages pages in memory, each once
     */
    public synchronized void gather(List<Page> pages) {
        stores().forEach(store -> store.gather(pages));
    }

    /**
     * @param page a page in use
     * @return how many hold it
     */
    public synchronized int references(Page page) {
        return page.references;
    }

    /**
     * Moves a page to the second tier, for all who share it.
     *
     * @param page a full page in memory, in the form that it keeps
     * @param to the tier of the sequences that share it
     * @throws KvBudgetExceededException if there is no room for it; nothing has changed then
     */
    synchronized void move(Page page, SecondTier to) {
        onTier(to, 1, page, () -> {
            SizeClass.Block left = page.moveTo(to.put(page.block().bytes()), to);
            leaveMemory(left);
        });
    }

    /** Keeps the second tier's account. */
    private void onTier(SecondTier on, int more, Page page, Runnable change) {
        long before = on.fileBytes();
        int done = 0;
        try {
            change.run();
            done = more;
        } finally {
            long held = tier.heldBytes() + (long) done * page.layout().pageBytes();
            long fileBytes = tier.fileBytes() + on.fileBytes() - before;
            tier = new TierUsage(held, Math.max(held, tier.peakHeldBytes()), fileBytes, tier.pages() + done);
        }
    }

    /** One sequence less has pages on a tier; the last one ends it. */
    synchronized void leave(SecondTier left) {
        long before = left.fileBytes();
        left.release();
        long fileBytes = tier.fileBytes() + left.fileBytes() - before;
        tier = new TierUsage(tier.heldBytes(), tier.peakHeldBytes(), fileBytes, tier.pages());
    }

    /**
     * @param page a page in use
     * @return whether more than one table holds it, so that it must not be written
     */
    public synchronized boolean shared(Page page) {
        return page.references > 1;
    }

    /**
     * Counts a page that cannot be sealed, and gives back the room for its sealed form; the second time for the same page
     * nothing happens.
     */
    synchronized void refuse(Page page) {
        page.target().ifPresent(target -> {
            refusedPages++;
            page.forgetTarget();
            giveUp(page, target);
        });
    }

    private void giveUp(Page page, Page target) {
        openBytes -= (long) page.layout().pageBytes() + target.layout().pageBytes();
        release(target);
    }

    /** From now on, what pages lose when they are sealed is measured, which takes another decoding. */
    public void measureLoss() {
        measuresLoss = true;
    }

    boolean measuresLoss() {
        return measuresLoss;
    }

    /** Counts a page that was sealed, and the time that it took. */
    synchronized void encoded(long nanos) {
        encodedPages++;
        encodingNanos += nanos;
    }

    /**
     * @return the account at this moment
     */
    public synchronized CacheUsage usage() {
        return new CacheUsage(
                sum(SlabStore::heldBytes),
                openBytes,
                sum(SlabStore::reservedBytes),
                peakHeldBytes,
                budgetBytes,
                sum(SlabStore::pages),
                refusedPages,
                encodedPages,
                encodingNanos,
                tier);
    }

    /** Checks that nothing is held any more. */
    @Override
    public synchronized void close() {
        CacheUsage usage = usage();
        if (usage.heldBytes() != 0 || usage.reservedBytes() != 0 || tier.heldBytes() != 0) {
            throw new IllegalStateException("pool closed with " + usage.pages() + " pages in use, " + usage.heldBytes()
                    + " bytes held, " + tier.heldBytes() + " on the second tier");
        }
    }
}
