package org.pikv4j.session;

import java.util.Optional;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.routing.RouteChoice;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.scheduling.TokenBudget;
import org.pikv4j.cache.storage.PageRoom;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.shard.ShardOptions;

/**
 * How an engine keeps its cache and cuts its batches.
 *
 * @param forms how cached rows are stored
 * @param residual which tokens stay exact where the cache is compressed
 * @param pageTokens tokens per page, a multiple of 16
 * @param kvBudgetBytes the most that the cache of all sessions may take
 * @param prefillChunk rows of the largest batch: long prompts are read in pieces of this many tokens
 * @param tokenBudget tokens that each session may keep in each layer and KV head; as many as the budget allows without one
 * @param policy what gives way when a budget is reached; without one, reaching it is an error
 * @param router which pages queries read; all of them without one
 * @param shards places beside the engine's own where full pages live
 * @param route which expert shards queries read; all of them without one
 */
public record EngineOptions(
        FormChoice forms,
        Residual residual,
        int pageTokens,
        long kvBudgetBytes,
        int prefillChunk,
        Optional<TokenBudget> tokenBudget,
        Optional<PolicyChoice> policy,
        Optional<PageRouter> router,
        Optional<ShardOptions> shards,
        Optional<RouteChoice> route) {

    public EngineOptions {
        if (pageTokens < 16 || pageTokens > 4096 || pageTokens % 16 != 0) {
            throw new InvalidOptionException(
                    "page-tokens must be a multiple of 16 between 16 and 4096, not " + pageTokens);
        }
        if (kvBudgetBytes < 1) {
            throw new InvalidOptionException("kv-budget must be positive, not " + kvBudgetBytes + " bytes");
        }
        if (prefillChunk < 1 || prefillChunk > 4096) {
            throw new InvalidOptionException("prefill-chunk must be between 1 and 4096, not " + prefillChunk);
        }
        if (policy.filter(PolicyChoice::auto).isPresent()) {
            tokenBudget.ifPresent(tokens -> {
                throw new InvalidOptionException(
                        "kv auto spends bytes: kv-budget must name some, 64MiB for instance, and not " + tokens);
            });
        }
        Optional<PageRouter> reads = policy.flatMap(PolicyChoice::router);
        if (shards.isPresent()) {
            policy.flatMap(PolicyChoice::placement).ifPresent(moves -> {
                throw new InvalidOptionException(
                        "kv-policy " + moves.name() + " and shards both say where pages live: take one of them");
            });
            reads.or(() -> router).filter(PageRouter::bounds).ifPresent(bounded -> {
                throw new InvalidOptionException(
                        bounded.name() + " needs bounds of all keys in one place, which there are not with shards");
            });
        }
        if (reads.isPresent() && tokenBudget.isPresent()) {
            throw new InvalidOptionException("kv-policy " + reads.get().name() + " evicts nothing: a budget of "
                    + tokenBudget.get() + " cannot be held");
        }
        if (reads.isPresent() && router.isPresent()) {
            throw new InvalidOptionException("kv-policy " + reads.get().name() + " and the router "
                    + router.get().name() + " both choose what is read");
        }
        route.ifPresent(routed -> reads.or(() -> router).ifPresent(other -> {
            throw new InvalidOptionException(
                    other.name() + " and route " + routed.router().name() + " both choose what is read");
        }));
        if (router.filter(PageRouter::bounds).isPresent()
                && policy.flatMap(PolicyChoice::eviction).isPresent()) {
            throw new InvalidOptionException("the router " + router.get().name()
                    + " needs bounds of keys, which are not kept where kv-policy evicts");
        }
    }

    /**
     * @return the choice of {@code --kv auto}, which brings pages into smaller forms before it evicts
     */
    Optional<PolicyChoice> auto() {
        return policy.filter(PolicyChoice::auto);
    }

    /**
     * @return which pages queries read, whoever says so
     */
    Optional<PageRouter> reads() {
        return policy.flatMap(PolicyChoice::router).or(() -> router);
    }

    /**
     * @param openBytesPerToken what a token that is not yet compressed takes, in a cache that is compressed
     * @return what stays exact: what was asked for, or as much less as the budgets demand
     */
    public Residual residualWithin(long openBytesPerToken) {
        int tokens = tokenBudget.map(TokenBudget::tokens).orElse(0);
        return residual.within(kvBudgetBytes, openBytesPerToken, tokens, pageTokens);
    }

    /**
     * @return what pages have room for besides keys and values
     */
    public PageRoom room() {
        if (policy.flatMap(PolicyChoice::eviction).isPresent()) {
            return PageRoom.POSITIONS;
        }
        return reads().filter(PageRouter::bounds).isPresent() ? PageRoom.BOUNDS : PageRoom.NONE;
    }
}
