package org.pikv4j.cli;

import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.cache.routing.RouteChoice;
import org.pikv4j.error.InvalidOptionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The options {@code --route} and {@code --expert-bias}. */
@Command(optionListHeading = "%nRouting, what queries read:%n")
public final class RoutingOptions {
    @Option(
            names = "--route",
            paramLabel = "NAME",
            order = 5,
            description = "Which expert shards of the cache a query reads, NAME[:option=value,...]: query-centroid,"
                    + " cache-aware, adaptive, topk, topk-balanced, eplb, hierarchical, hash or exact; the command routers"
                    + " lists their options, the README explains them (default: all of the cache is read).")
    private Optional<String> route = Optional.empty();

    @Option(
            names = "--expert-bias",
            paramLabel = "F",
            order = 5,
            description = "With --route, how much what the cache knows of itself has to say when the model's own gate"
                    + " chooses experts: F times the term of cache-aware (default: 0; it changes what the model says).")
    private Optional<Double> expertBias = Optional.empty();

    /**
     * @param builder receives the options
     * @return the builder
     * @throws InvalidOptionException if there is no such router, or one of its options has a value that is not possible
     */
    public PiKV.Builder apply(PiKV.Builder builder) {
        return choice().map(builder::route).orElse(builder);
    }

    /**
     * @return how queries choose what they read, if they do
     * @throws InvalidOptionException if there is no such router, or one of its options has a value that is not possible
     */
    public Optional<RouteChoice> choice() {
        if (expertBias.isPresent() && route.isEmpty()) {
            throw new InvalidOptionException("--expert-bias is unused without --route; --route exact reads everything");
        }
        return route.map(RouteChoice::parse)
                .map(choice -> expertBias.map(choice::withExpertBias).orElse(choice));
    }
}
