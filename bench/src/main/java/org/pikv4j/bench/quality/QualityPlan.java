package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is to be measured.
 *
 * @param contenders the policies
 * @param modes when tokens are forgotten
 * @param shares budgets, as shares of the tokens
 * @param sessions documents worked on at once
 */
record QualityPlan(List<Contender> contenders, List<Mode> modes, List<Double> shares, int sessions) {
    /** What the row without a policy is called. */
    static final String EXACT = "exact";

    /**
     * @param mode a mode
     * @return the policies that are tried in it
     */
    List<Contender> contenders(Mode mode) {
        return contenders.stream().filter(contender -> contender.standsIn(mode)).toList();
    }

    /**
     * @param mode a mode
     * @return what is measured in it: without a policy first, then policy by policy
     */
    List<Condition> conditions(Mode mode) {
        List<Condition> conditions = new ArrayList<>();
        conditions.add(new Condition(mode, EXACT, 1));
        for (Contender contender : contenders(mode)) {
            contender.among(shares).forEach(share -> conditions.add(new Condition(mode, contender.text(), share)));
        }
        return conditions;
    }

    /**
     * @return the modes that read everything first
     */
    Set<Mode> cuts() {
        return modes.stream()
                .filter(mode -> mode != Mode.HELD)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Mode.class)));
    }

    /**
     * @return the share whose tokens are shown: the one nearest to a quarter
     */
    double shown() {
        double best = shares.getFirst();
        for (double share : shares) {
            best = Math.abs(share - 0.25) < Math.abs(best - 0.25) ? share : best;
        }
        return best;
    }
}
