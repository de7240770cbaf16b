package org.pikv4j.bench.quality;

import java.util.List;
import org.pikv4j.bench.PolicyList;
import org.pikv4j.cache.scheduling.PolicyChoice;

/**
 * A policy as it was asked for. One that keeps everything and reads less takes the share of a budget as an option: where the text
 * says {@code {share}}, and {@code quest} by itself.
 *
 * @param text as {@code --kv-policy} of other commands spells it, but for the share
 */
record Contender(String text) {
    private static final String SHARE = "{share}";
    private static final String QUEST = "quest";
    private static final String QUEST_SHARE = "read=";

    private boolean questByItself() {
        return text.equals(QUEST) || text.startsWith(QUEST + ":") && !text.contains(QUEST_SHARE);
    }

    /**
     * @return whether it forgets anything
     */
    boolean evicts() {
        return choice().eviction().isPresent();
    }

    /**
     * @return whether it can stand in a mode: who evicts nothing is the same in all, and who knows the future of one question
     *     cannot cut before another
     */
    boolean standsIn(Mode mode) {
        return mode == Mode.CUT || (evicts() && !clairvoyant());
    }

    /**
     * @return whether it must be told the future
     */
    boolean clairvoyant() {
        return text.equals(Clairvoyant.NAME);
    }

    /**
     * @return the policy, where it keeps or reads all that it can
     */
    PolicyChoice choice() {
        return PolicyChoice.parse(at(1));
    }

    /**
     * @param budgets shares of the tokens
     * @return those that make a difference to it
     */
    List<Double> among(List<Double> budgets) {
        return evicts() || text.contains(SHARE) || questByItself() ? budgets : List.of(1.0);
    }

    /**
     * @param share of a budget
     * @return what {@code --kv-policy} is given there
     */
    String at(double share) {
        String with = questByItself() ? text + (text.equals(QUEST) ? ":" : ",") + QUEST_SHARE + SHARE : text;
        return with.replace(SHARE, plain(share));
    }

    /**
     * @param share a number
     * @return it without what a reader does not need
     */
    static String plain(double share) {
        return share == Math.rint(share) ? Long.toString((long) share) : Double.toString(share);
    }

    /**
     * @param budgets the shares it will be tried with
     * @throws org.pikv4j.error.InvalidOptionException if there is no such policy
     */
    void check(List<Double> budgets) {
        budgets.forEach(share -> PolicyList.parse(at(share)));
    }
}
