package org.pikv4j.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Model.UsageMessageSpec;

/** Sets picocli up in the way that all our programs share, and runs it. */
public final class Cli {
    private Cli() {}

    /**
     * @param root the program's root command
     * @return it, with our ways of reading arguments, reporting errors and printing help
     */
    public static CommandLine commandLine(Object root) {
        CommandLine commandLine = new CommandLine(root);
        ErrorReport errors = new ErrorReport(System.getenv());
        commandLine.setParameterExceptionHandler(errors);
        commandLine.setExecutionExceptionHandler(errors);
        // A prompt may well start with an @: it is text, not the name of a file with more arguments.
        commandLine.setExpandAtFiles(false);
        commandLine.setUsageHelpAutoWidth(true);
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.registerConverter(Path.class, new PathConverter());
        OptionSections sections = new OptionSections();
        useSections(commandLine, sections);
        return commandLine;
    }

    private static void useSections(CommandLine commandLine, OptionSections sections) {
        // The headings of mixins would otherwise be taken as the command's own.
        commandLine.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST_HEADING, help -> "");
        commandLine.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, sections);
        commandLine.getSubcommands().values().forEach(subcommand -> useSections(subcommand, sections));
    }

    /**
     * Runs a program on the process's own streams, in UTF-8 whatever the locale says: a model's text has more characters
     * than most locales.
     *
     * @param root the program's root command
     * @param args its arguments
     * @return the exit code
     */
    public static int run(Object root, String... args) {
        CommandLine commandLine = commandLine(root);
        commandLine.setOut(new StandardOutput());
        commandLine.setErr(new PrintWriter(
                new OutputStreamWriter(new FileOutputStream(FileDescriptor.err), StandardCharsets.UTF_8), true));
        try {
            return commandLine.execute(args);
        } catch (StackOverflowError | OutOfMemoryError e) {
            // picocli handles exceptions, but leaves errors to its caller.
            return new ErrorReport(System.getenv()).unexpected(e, commandLine);
        } finally {
            commandLine.getOut().flush();
            commandLine.getErr().flush();
        }
    }
}
