package org.pikv4j.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Help;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Prints the options of each mixin under a heading of its own, which is the mixin's {@code optionListHeading}. What the
 * command declares itself comes first, together with the options of mixins that have no heading.
 */
final class OptionSections implements IHelpSectionRenderer {

    @Override
    public String render(Help help) {
        CommandSpec spec = help.commandSpec();
        List<OptionSpec> own = new ArrayList<>(spec.options());
        StringBuilder text = new StringBuilder();
        for (CommandSpec mixin : spec.mixins().values()) {
            if (mixin.usageMessage().optionListHeading().isEmpty()) {
                continue;
            }
            Set<String> names =
                    mixin.options().stream().map(OptionSpec::longestName).collect(Collectors.toSet());
            List<OptionSpec> options = own.stream()
                    .filter(option -> names.contains(option.longestName()))
                    .toList();
            own.removeAll(options);
            text.append(list(help, mixin.usageMessage().optionListHeading(), options));
        }
        return list(help, "%nOptions:%n", own) + text;
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
