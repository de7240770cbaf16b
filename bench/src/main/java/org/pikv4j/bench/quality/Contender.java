package org.pikv4j.bench.quality;

import java.util.List;
import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.bench.PolicyList;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.control.Auto;
import org.pikv4j.cache.scheduling.PolicyChoice;

/**
 * A policy as it was asked for, or {@code auto}, which spends a share of the bytes, or a form of the whole cache. One that keeps everything and reads less takes the share of a budget as an option: where the text
 * says {@code {share}}, and {@code quest} by itself.
 *
 * @param text as {@code --kv-policy} of other commands spells it, but for the share
 */
record Contender(String text) {
    private static final String SHARE = "{share}";
    private static final String QUEST = "quest";
    private static final String QUEST_SHARE = "read=";
    private static final String FORM = "kv-dtype=";

    private boolean questByItself() {
        return text.equals(QUEST) || text.startsWith(QUEST + ":") && !text.contains(QUEST_SHARE);
    }

    /**
     * @return whether it is what {@code --kv auto} stands for
     */
    boolean auto() {
        return text.equals(Auto.NAME);
    }

    /**
     * @return how all of the cache is stored, where that is all there is to it
     */
    Optional<String> form() {
        return text.startsWith(FORM) ? Optional.of(text.substring(FORM.length())) : Optional.empty();
    }

    /**
     * @return whether it forgets anything
     */
    boolean evicts() {
        return policy().flatMap(PolicyChoice::eviction).isPresent();
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
     * @return the policy, where it keeps or reads all that it can; empty where there is none
     */
    Optional<PolicyChoice> policy() {
        return form().isPresent() ? Optional.empty() : Optional.of(choice(1));
    }

    private PolicyChoice choice(double share) {
        return auto() ? new PolicyChoice(new Auto()) : PolicyList.parse(at(share));
    }

    /**
     * @param builder of an engine
     * @param share of a budget
     * @return the builder, for an engine that does as asked for
     */
    PiKV.Builder applied(PiKV.Builder builder, double share) {
        return form().map(builder::kvDtype).orElseGet(() -> builder.kvPolicy(choice(share)));
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
        if (policy().isPresent()) {
            budgets.forEach(this::choice);
        }
        form().ifPresent(form -> FormSpec.parse(form, BasisSource.NONE));
    }
}
