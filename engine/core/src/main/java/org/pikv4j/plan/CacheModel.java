package org.pikv4j.plan;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.RowCodec;
import org.pikv4j.cache.control.Ladder;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.PageCounts;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.session.EngineOptions;

/**
 * What the cache of one sequence takes at any length, from the layouts that the cache itself cuts its pages by. Layers with a
 * latent have none there yet: theirs is one page for all heads, of rows in the form of keys.
 */
final class CacheModel {

    /** Tables that are alike: KV heads, or a layer's latent. {@code sealed} equals {@code open} where pages stay as they are. */
    private record Tables(PageBytes open, PageBytes sealed, long count) {
        boolean compressed() {
            return !sealed.equals(open);
        }
    }

    /** A layer's tables, and how they are cut where the cache itself cuts them. */
    private record Layer(List<Tables> tables, int window, long openBytesPerToken, Optional<CacheLayout.Layer> cut) {}

    private final EngineOptions options;
    private final List<Layer> layers;
    private final Residual residual;
    private final Optional<CacheSchedule> schedule;
    private final Optional<Ladder> ladder; // where kv auto may make pages smaller

    /**
     * @param model the model
     * @param options how its cache is kept
     * @throws InvalidOptionException if that does not fit the model, as an engine would say it
     */
    CacheModel(ModelShape model, EngineOptions options) {
        this.options = options;
        options.forms().checkLayers(model.layers().size());
        List<Layer> wanted = layers(model, options, options.residual());
        boolean compressed =
                wanted.stream().flatMap(layer -> layer.tables().stream()).anyMatch(Tables::compressed);
        residual = compressed
                ? options.residualWithin(
                        wanted.stream().mapToLong(Layer::openBytesPerToken).sum())
                : options.residual();
        layers = compressed ? layers(model, options, residual) : wanted;
        schedule = schedule(model);
        ladder = options.policy().filter(PolicyChoice::auto).map(any -> Ladder.of(cut()));
    }

    /** How the cache itself is cut, which knows no latents. */
    private CacheLayout cut() {
        List<CacheLayout.Layer> pages =
                layers.stream().flatMap(layer -> layer.cut().stream()).toList();
        if (pages.size() < layers.size()) {
            throw new InvalidOptionException("kv auto is not planned for latents: it has no smaller forms of them");
        }
        return new CacheLayout(pages, residual);
    }

    private static List<Layer> layers(ModelShape model, EngineOptions options, Residual residual) {
        List<Layer> layers = new ArrayList<>();
        for (LayerShape shape : model.layers()) {
            layers.add(
                    switch (shape.kv()) {
                        case KvShape.Heads(AttentionSpec attention) ->
                            heads(CacheLayout.layer(
                                    attention,
                                    layers.size(),
                                    options.forms(),
                                    options.pageTokens(),
                                    residual,
                                    options.room()));
                        case KvShape.Latent latent -> latent(latent, layers.size(), options);
                    });
        }
        return layers;
    }

    private static Layer heads(CacheLayout.Layer layer) {
        Map<PageBytes, Long> counts = new LinkedHashMap<>();
        layer.sealed().forEach(layout -> counts.merge(PageBytes.of(layout), 1L, Long::sum));
        PageBytes open = PageBytes.of(layer.open());
        List<Tables> tables = new ArrayList<>();
        counts.forEach((full, count) -> tables.add(new Tables(open, full, count)));
        return new Layer(tables, layer.window(), layer.openBytesPerToken(), Optional.of(layer));
    }

    private static Layer latent(KvShape.Latent latent, int index, EngineOptions options) {
        int width = Math.toIntExact(latent.elements());
        HalfForm form = options.forms().form(index, 0, width).keys();
        boolean exact = form.basis().isEmpty() && form.codec() instanceof RowCodec;
        PageBytes page = PageBytes.latent(form.codec(), options.pageTokens(), form.width(width), options.room());
        PageBytes open = exact ? page : PageBytes.latent(Codecs.BF16, options.pageTokens(), width, options.room());
        if (!exact && page.total() >= open.total()) {
            throw new InvalidOptionException(
                    "kv-dtype %s does not compress: a page of layer %d takes %d bytes, in %s %d"
                            .formatted(form.name(), index, page.total(), Codecs.BF16.name(), open.total()));
        }
        long bytes = open.total() + (exact ? 0 : page.total());
        return new Layer(
                List.of(new Tables(open, page, 1)),
                latent.window(),
                Math.ceilDiv(bytes, options.pageTokens()),
                Optional.empty());
    }

    /** What limits the tables under a budget, and refuses one that is too small. */
    private Optional<CacheSchedule> schedule(ModelShape model) {
        if (options.policy().isEmpty() && options.tokenBudget().isEmpty()) {
            return Optional.empty();
        }
        List<AttentionSpec> specs = new ArrayList<>();
        for (LayerShape shape : model.layers()) {
            if (!(shape.kv() instanceof KvShape.Heads(AttentionSpec attention))) {
                return Optional.empty();
            }
            specs.add(attention);
        }
        options.policy().map(PolicyChoice::policy).ifPresent(policy -> policy.check(specs));
        return Optional.of(
                new CacheSchedule(options.policy(), options.tokenBudget(), cut(), specs, options.prefillChunk()));
    }

    /**
     * @param context tokens of a sequence
     * @return how many of them its tables hold at most, whole pages of them
     */
    private int tokensKept(int context) {
        if (schedule.isPresent()) {
            return schedule.get().mostTokens(context);
        }
        int page = options.pageTokens();
        return options.tokenBudget()
                .map(budget -> Math.min(context, Math.max(1, budget.of(context) / page) * page))
                .orElse(context);
    }

    /**
     * @param context tokens of a sequence
     * @return what its pages take once they are read, in memory
     */
    CacheBytes bytes(int context) {
        CacheBytes bytes = CacheBytes.NONE;
        for (Layer layer : layers) {
            bytes = bytes.plus(bytes(layer, context));
        }
        return bytes;
    }

    private CacheBytes bytes(Layer layer, int context) {
        return bytes(layer.tables(), pages(layer, context));
    }

    private CacheBytes bytes(List<Tables> tables, PageCounts pages) {
        CacheBytes bytes = CacheBytes.NONE;
        for (Tables table : tables) {
            PageBytes open = table.open();
            PageBytes sealed = table.sealed();
            long numbers = open.payload() + open.scales();
            long tail = numbers * pages.unfilled() / options.pageTokens();
            long filled = pages.exact() * numbers - tail;
            CacheBytes one = new CacheBytes(
                    pages.sealed() * sealed.payload() + (table.compressed() ? 0 : filled),
                    pages.sealed() * sealed.scales(),
                    pages.exact() * open.metadata() + pages.sealed() * sealed.metadata(),
                    table.compressed() ? filled + pages.reserved() * sealed.total() : 0,
                    tail);
            bytes = bytes.plus(one.times(table.count()));
        }
        return bytes;
    }

    /**
     * @param context tokens of a sequence
     * @return what its pages take under kv auto when all have the smallest form, but for those with the first tokens and the newest
     */
    CacheBytes smallest(int context) {
        int covered = options.policy().orElseThrow().protection().wholePages(options.pageTokens());
        CacheBytes bytes = CacheBytes.NONE;
        for (int i = 0; i < layers.size(); i++) {
            PageBytes least = PageBytes.of(ladder.orElseThrow().rungs(i).getLast());
            List<Tables> tables = layers.get(i).tables().stream()
                    .map(table -> new Tables(table.open(), least, table.count()))
                    .toList();
            PageCounts pages = pages(layers.get(i), context);
            long all = pages.exact() + pages.sealed();
            long exact = Math.min(all, covered);
            bytes = bytes.plus(bytes(tables, new PageCounts(exact, all - exact, 0, pages.unfilled())));
        }
        return bytes;
    }

    /**
     * @param budgetBytes what the cache may take
     * @return of these, what rows take under kv auto that have just been read, and those that come next, before their pages are smaller
     */
    long rowsBytes(long budgetBytes) {
        long page = layers.stream()
                .flatMap(layer -> layer.tables().stream())
                .mapToLong(table -> table.open().total() * table.count())
                .sum();
        long pages = Math.min(
                Math.ceilDiv(options.prefillChunk(), options.pageTokens()), Ladder.rowsBytes(budgetBytes) / page);
        return 2 * Math.multiplyExact(page, Math.max(1, pages));
    }

    /**
     * @param budgetBytes what the cache may take
     * @return of these, what kv auto keeps free
     */
    long keptBytes(long budgetBytes) {
        return ladder.orElseThrow().keptBytes(budgetBytes);
    }

    /** Some pages of a sequence. */
    record PageSum(long pages, long bytes) {}

    /**
     * @param context tokens of a sequence
     * @return its pages that no more tokens come to, in the form that they have for good: those that shards hold
     */
    PageSum settled(int context) {
        long count = 0;
        long bytes = 0;
        for (Layer layer : layers) {
            PageCounts pages = pages(layer, context);
            for (Tables table : layer.tables()) {
                long exact = pages.exact() - (table.compressed() ? pages.reserved() : 0);
                boolean endsOpen = pages.unfilled() > 0 && !(table.compressed() && pages.reserved() > 0);
                exact -= endsOpen ? 1 : 0;
                count += (exact + pages.sealed()) * table.count();
                bytes += (exact * table.open().total()
                                + pages.sealed() * table.sealed().total())
                        * table.count();
            }
        }
        return new PageSum(count, bytes);
    }

    /**
     * @param context tokens of a sequence
     * @return how many pages it has
     */
    long pages(int context) {
        long count = 0;
        for (Layer layer : layers) {
            PageCounts pages = pages(layer, context);
            count += (pages.exact() + pages.sealed())
                    * layer.tables().stream().mapToLong(Tables::count).sum();
        }
        return count;
    }

    private PageCounts pages(Layer layer, int context) {
        int tokens = tokensKept(context);
        return tokens < context
                ? PageCounts.most(tokens, options.pageTokens(), layer.window(), residual)
                : PageCounts.of(tokens, options.pageTokens(), layer.window(), residual);
    }

    /**
     * @param layer index of a layer
     * @param context tokens of a sequence
     * @return how many full pages each of its tables holds at most
     */
    long fullPages(int layer, int context) {
        PageCounts pages = pages(layers.get(layer), context);
        return pages.exact() + pages.sealed() - (pages.unfilled() > 0 ? 1 : 0);
    }

    /**
     * @param context tokens of a sequence
     * @return bytes that one more token adds in the long run: those of full pages, in layers whose window it has not left
     */
    long bytesPerToken(int context) {
        long pages = 0;
        for (Layer layer : layers) {
            if (layer.window() >= context) {
                pages += layer.tables().stream()
                        .mapToLong(table -> table.sealed().total() * table.count())
                        .sum();
            }
        }
        return Math.ceilDiv(pages, options.pageTokens());
    }

    /**
     * @param context tokens of a sequence
     * @return bytes of layers whose window it has left: the same at any greater length, but for a page
     */
    long windowBytes(int context) {
        long bytes = 0;
        for (Layer layer : layers) {
            if (layer.window() < context) {
                bytes = Math.addExact(bytes, bytes(layer, context).total());
            }
        }
        return bytes;
    }
}
