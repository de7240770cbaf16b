package org.pikv4j.cache.routing;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.pikv4j.cache.routing.ShardRouter.Need;
import org.pikv4j.cache.routing.routers.BuiltInRouters;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.extension.Extensions;
import org.pikv4j.extension.OptionValues;
import org.pikv4j.text.Plural;

/**
 * Which part of the cache a query reads: the pages of some expert shards, and the sinks and the newest tokens.
 *
 * @param router chooses the shards
 * @param k how many are read
 * @param shards how many there are in a layer, expert e belonging to shard e mod {@code shards}; 0 for one for each expert
 * @param byPage whether pages belong to shards by hash, and not by the expert that most of their tokens chose
 * @param protection what every query reads
 * @param prompt whether the first prompt's queries choose, too; they read everything otherwise
 * @param ahead whether what the last query did not choose is left out when pages are read ahead of time
 * @param expertBias how much the cache has to say when the model's own gate chooses experts ({@link CacheTerm}); 0 for nothing
 */
public record RouteChoice(
        ShardRouter router,
        int k,
        int shards,
        boolean byPage,
        Protection protection,
        boolean prompt,
        boolean ahead,
        double expertBias) {

    /** The default of k. */
    public static final int K = 2;

    private static final int MOST_BIAS = 1_000_000;

    private static final String EXPERT = "expert";
    private static final String PAGE = "page";

    /**
     * Reads {@code NAME[:option=value,…]}. Routers have the options {@code k}, unless they read all, {@code shards}, {@code by} (expert, or
     * page), {@code sinks}, {@code window}, {@code prompt} (0, or 1), {@code ahead} (1, or 0), and their own; {@link #defaults} lists them.
     *
     * @param spec an option's value
     * @return the choice
     * @throws InvalidOptionException if there is no such router or option
     */
    public static RouteChoice parse(String spec) {
        Map<String, String> values = new LinkedHashMap<>();
        String name = OptionValues.split("route", spec, 0, values);
        ShardRouter plain = Extensions.find("route", ShardRouter.class, BuiltInRouters.ALL, name);
        OptionValues options = new OptionValues("route " + name, values);
        RouteChoice choice = read(plain, options);
        options.checkAllUsed();
        return choice;
    }

    /**
     * @return the options of each router and their defaults in words, by its name
     */
    public static Map<String, Map<String, String>> defaults() {
        Map<String, Map<String, String>> all = new LinkedHashMap<>();
        for (ShardRouter router : Extensions.all(ShardRouter.class, BuiltInRouters.ALL)) {
            OptionValues none = new OptionValues("route " + router.name(), Map.of());
            read(router, none);
            all.put(router.name(), none.defaults());
        }
        return all;
    }

    private static RouteChoice read(ShardRouter plain, OptionValues options) {
        int k = plain.choosesAll() ? 1 : options.number("k", K, 1);
        int shards = options.number("shards", 0, "one for each expert", 1);
        String by = options.text("by", EXPERT);
        if (!by.equals(EXPERT) && !by.equals(PAGE)) {
            throw new InvalidOptionException("route " + plain.name() + ": by must be expert or page, not '" + by + "'");
        }
        Protection protection = new Protection(
                options.number("sinks", Protection.DEFAULT.sinks(), 0, Protection.MOST),
                options.number("window", Protection.DEFAULT.window(), 0, Protection.MOST));
        boolean prompt = options.flag("prompt", false);
        boolean ahead = options.flag("ahead", true);
        ShardRouter router = plain.with(options);
        return new RouteChoice(router, k, shards, by.equals(PAGE), protection, prompt, ahead, 0);
    }

    /**
     * @param other chooses the shards
     * @return the same with it
     */
    public RouteChoice with(ShardRouter other) {
        return new RouteChoice(other, k, shards, byPage, protection, prompt, ahead, expertBias);
    }

    /**
     * @param factor how much the cache has to say when the model's own gate chooses experts
     * @return the same with it
     */
    public RouteChoice withExpertBias(double factor) {
        if (!(factor >= 0 && factor <= MOST_BIAS)) {
            throw new InvalidOptionException("expert-bias must be "
                    + (factor > MOST_BIAS ? "at most " + MOST_BIAS : "a number of at least 0") + ", not " + factor);
        }
        return new RouteChoice(router, k, shards, byPage, protection, prompt, ahead, factor);
    }

    /**
     * @param experts experts of each of the model's layers, 0 for one without a gate
     * @return the same for this model
     * @throws InvalidOptionException if it makes no sense for it
     */
    public RouteChoice checked(List<Integer> experts) {
        if (experts.stream().allMatch(count -> count == 0)) {
            throw new InvalidOptionException("route " + router.name() + ": no layer of this model has experts");
        }
        for (int count : experts) {
            if (count > 0 && (shards > count || k > shards(count))) {
                throw new InvalidOptionException("route %s: %s where layers have %s"
                        .formatted(
                                router.name(),
                                shards > count ? "shards=" + shards : "k=" + k,
                                shards > count || shards == 0
                                        ? Plural.of(count, "expert")
                                        : Plural.of(shards, "shard")));
            }
            if (count > 0) {
                router.check(shards(count));
            }
            if (count > 0 && expertBias > 0 && (byPage || shards(count) != count)) {
                throw new InvalidOptionException(
                        "expert-bias needs a shard for each expert: leave by=page and shards= away");
            }
        }
        return this;
    }

    /**
     * @param experts experts of a layer
     * @return its shards
     */
    public int shards(int experts) {
        return shards == 0 || experts == 0 ? experts : shards;
    }

    /**
     * @return whether somebody has to know how much attention shards draw
     */
    boolean watches() {
        return router.needs().contains(Need.ATTENTION) || expertBias > 0;
    }

    /**
     * @return whether somebody has to know the means of pages' keys
     */
    boolean summarises() {
        return router.needs().contains(Need.CENTROIDS);
    }
}
