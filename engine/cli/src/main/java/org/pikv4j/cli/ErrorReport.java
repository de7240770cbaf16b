package org.pikv4j.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.pikv4j.error.BackendUnavailableException;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.PiKVException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one line on stderr, which starts with the program's name, and an exit code. */
public final class ErrorReport implements IParameterExceptionHandler, IExecutionExceptionHandler {
    static final String STACK_TRACE = "PIKV4J_STACKTRACE";

    private static final Pattern LINE_BREAK = Pattern.compile("\\s*\\R\\s*");

    private final boolean stackTraces;

    /**
     * @param environment the environment variables
     */
    ErrorReport(Map<String, String> environment) {
        stackTraces = !environment.getOrDefault(STACK_TRACE, "").isEmpty();
    }

    @Override
    public int handleParseException(ParameterException e, String[] args) {
        CommandLine commandLine = e.getCommandLine();
        if (args.length == 0) {
            // Nothing was tried that an error could be about: the question is what there is.
            commandLine.usage(commandLine.getErr());
            commandLine.getErr().flush();
            return ExitCodes.USAGE;
        }
        StringBuilder line = new StringBuilder();
        if (e instanceof UnmatchedArgumentException unmatched) {
            line.append(describe(unmatched));
        } else {
            line.append(OptionNames.ofPicocli(String.valueOf(e.getMessage()).replaceFirst("^Error: ", "")));
        }
        line.append(" (see ")
                .append(commandLine.getCommandSpec().qualifiedName())
                .append(" --help)");
        report(line.toString(), e, commandLine);
        return ExitCodes.USAGE;
    }

    /** The first of the arguments that nobody knows; the others often follow from it, and may be long. */
    private static String describe(UnmatchedArgumentException e) {
        String kind = e.isUnknownOption()
                ? "Unknown option"
                : e.getCommandLine().getSubcommands().isEmpty() ? "Unexpected argument" : "Unknown command";
        List<String> suggestions = e.getSuggestions();
        return kind + " '" + e.getUnmatched().getFirst() + "'"
                + (suggestions.isEmpty() ? "" : "; did you mean " + String.join(" or ", suggestions) + "?");
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine commandLine, ParseResult arguments) {
        return switch (e) {
            case InvalidOptionException option -> mendable(aboutOption(option, commandLine), e, commandLine);
            case BackendUnavailableException option -> mendable(aboutOption(option, commandLine), e, commandLine);
            case PiKVException other -> mendable(String.valueOf(e.getMessage()), e, commandLine);
            case Output.Failed failed when failed.brokenPipe() -> ExitCodes.BROKEN_PIPE;
            case Output.Failed failed -> {
                report("stdout: " + failed.getMessage(), e, commandLine);
                yield ExitCodes.FAILURE;
            }
            default -> unexpected(e, commandLine);
        };
    }

    private static String aboutOption(PiKVException e, CommandLine commandLine) {
        return OptionNames.ofLibrary(String.valueOf(e.getMessage()), commandLine.getCommandSpec());
    }

    private int mendable(String message, Exception e, CommandLine commandLine) {
        report(message, e, commandLine);
        return ExitCodes.USAGE;
    }

    int unexpected(Throwable e, CommandLine commandLine) {
        String hint = stackTraces ? "" : " (unexpected; set " + STACK_TRACE + "=1 to see where it comes from)";
        report(e + hint, e, commandLine);
        return ExitCodes.FAILURE;
    }

    private void report(String message, Throwable cause, CommandLine commandLine) {
        print(commandLine.getCommandSpec(), message);
        if (stackTraces) {
            PrintWriter err = commandLine.getErr();
            cause.printStackTrace(err);
            err.flush();
        }
    }

    /**
     * Says what went wrong where the program goes on all the same.
     *
     * @param spec the command
     * @param message what went wrong; made one line
     */
    public static void print(CommandSpec spec, String message) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(spec.root().name() + ": " + LINE_BREAK.matcher(message).replaceAll(" "));
        err.flush();
    }
}
