package org.pikv4j.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.pikv4j.error.PiKVException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one line on stderr, which starts with the program's name, and an exit code. */
final class ErrorReport implements IParameterExceptionHandler, IExecutionExceptionHandler {
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
        StringBuilder line = new StringBuilder(String.valueOf(e.getMessage()).replaceFirst("^Error: ", ""));
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> suggestions = unmatched.getSuggestions();
            if (!suggestions.isEmpty()) {
                line.append("; did you mean ")
                        .append(String.join(" or ", suggestions))
                        .append('?');
            }
        }
        line.append(" (see ")
                .append(commandLine.getCommandSpec().qualifiedName())
                .append(" --help)");
        report(line.toString(), e, commandLine);
        return ExitCodes.USAGE;
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine commandLine, ParseResult arguments) {
        return switch (e) {
            case PiKVException mendable -> {
                report(String.valueOf(e.getMessage()), e, commandLine);
                yield ExitCodes.USAGE;
            }
            case Output.Failed failed when failed.brokenPipe() -> ExitCodes.BROKEN_PIPE;
            case Output.Failed failed -> {
                report("stdout: " + failed.getMessage(), e, commandLine);
                yield ExitCodes.FAILURE;
            }
            default -> unexpected(e, commandLine);
        };
    }

    int unexpected(Throwable e, CommandLine commandLine) {
        String hint = stackTraces ? "" : " (unexpected; set " + STACK_TRACE + "=1 to see where it comes from)";
        report(e + hint, e, commandLine);
        return ExitCodes.FAILURE;
    }

    private void report(String message, Throwable cause, CommandLine commandLine) {
        PrintWriter err = commandLine.getErr();
        err.println(commandLine.getCommandSpec().root().name() + ": "
                + LINE_BREAK.matcher(message).replaceAll(" "));
        if (stackTraces) {
            cause.printStackTrace(err);
        }
        err.flush();
    }
}
