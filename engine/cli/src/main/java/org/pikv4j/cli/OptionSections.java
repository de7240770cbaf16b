package org.pikv4j.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Help;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Prints the options of each mixin, be it one of another mixin, under a heading of its own, which is the mixin's {@code
 * optionListHeading}. Options of a mixin that has none belong to what it is mixed into. What the command declares itself comes first.
 */
final class OptionSections implements IHelpSectionRenderer {

    @Override
    public String render(Help help) {
        CommandSpec spec = help.commandSpec();
        Map<String, List<OptionSpec>> sections = new LinkedHashMap<>(); // by heading
        Set<String> placed = new HashSet<>();
        spec.mixins().values().forEach(mixin -> collect(mixin, sections, placed));
        List<OptionSpec> own = spec.options().stream()
                .filter(option -> !placed.contains(option.longestName()))
                .toList();
        StringBuilder text = new StringBuilder(list(help, "%nOptions:%n", own));
        sections.forEach((heading, options) -> text.append(list(help, heading, options)));
        return text.toString();
    }

    private static void collect(CommandSpec mixin, Map<String, List<OptionSpec>> sections, Set<String> placed) {
        mixin.mixins().values().forEach(inner -> collect(inner, sections, placed));
        String heading = mixin.usageMessage().optionListHeading();
        if (heading.isEmpty()) {
            return;
        }
        for (OptionSpec option : mixin.options()) {
            if (placed.add(option.longestName())) {
                sections.computeIfAbsent(heading, any -> new ArrayList<>()).add(option);
            }
        }
    }

    private static String list(Help help, String heading, List<OptionSpec> options) {
        List<OptionSpec> ordered = options.stream()
                .filter(option -> !option.hidden())
                .sorted(Comparator.comparingInt(OptionSpec::order))
                .toList();
        if (ordered.isEmpty()) {
            return "";
        }
        Help.Layout layout = help.createDefaultLayout(ordered, List.of(), help.colorScheme());
        layout.addAllOptions(ordered, help.createDefaultParamLabelRenderer());
        return help.createHeading(heading) + layout;
    }
}
