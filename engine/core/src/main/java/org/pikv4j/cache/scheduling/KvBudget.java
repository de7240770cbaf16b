package org.pikv4j.cache.scheduling;

import java.util.Optional;
import java.util.OptionalLong;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.memory.ByteSize;

/**
 * What a cache may take: bytes, of all sessions together, and tokens, of each.
 *
 * @param bytes the most that the cache of all sessions may take; the engine's default if empty
 * @param tokens the most that a session may keep in each layer and KV head; as many as there is room for if empty
 */
public record KvBudget(OptionalLong bytes, Optional<TokenBudget> tokens) {

    /** Nothing but the engine's default. */
    public static final KvBudget DEFAULT = new KvBudget(OptionalLong.empty(), Optional.empty());

    /**
     * @param text {@code 512MiB}, {@code 1024tok}, {@code 25%}, or one of the first and one of the others with a comma between
     * @return the budget
     * @throws InvalidOptionException if it is none
     */
    public static KvBudget parse(String text) {
        KvBudget budget = DEFAULT;
        for (String part : text.split(",", -1)) {
            boolean tokens = TokenBudget.isMeant(part);
            if (tokens ? budget.tokens.isPresent() : budget.bytes.isPresent()) {
                throw new InvalidOptionException("'" + text + "' names two budgets of one kind");
            }
            budget = tokens
                    ? new KvBudget(budget.bytes, Optional.of(TokenBudget.parse(part)))
                    : new KvBudget(OptionalLong.of(bytes(part)), budget.tokens);
        }
        return budget;
    }

    private static long bytes(String text) {
        try {
            return ByteSize.parse(text);
        } catch (InvalidOptionException e) {
            throw new InvalidOptionException(e.getMessage() + ", or in tokens 1024tok or 25%");
        }
    }
}
