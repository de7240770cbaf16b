package org.pikv4j.app;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pikv4j.cli.ErrorReport;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.cli.Terminal;
import org.pikv4j.cli.TextFile;
import org.pikv4j.error.ContextLengthException;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.error.PiKVException;
import org.pikv4j.session.Conversation;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.GenerationResult;
import org.pikv4j.session.Session;
import org.pikv4j.text.ChatMessage;
import picocli.CommandLine.Model.CommandSpec;

/** The turns of a conversation over two streams. What goes wrong in a turn ends that turn alone. */
final class Chat implements AutoCloseable {
    static final String HELP = "/reset begins a new conversation, /exit ends; all else is said to the model";

    /** A word after a slash, and what may follow it; not a path, which a person may well ask about. */
    private static final Pattern COMMAND = Pattern.compile("(/\\p{Alpha}+)(?:\\s.*)?");

    private final Engine engine;
    private final Optional<String> system;
    private final GenerationOptions options;
    private final Progress progress;
    private final CommandSpec spec;
    private Session session;
    private Conversation conversation;
    private volatile boolean answering;

    /**
     * @param engine runs the model
     * @param system what the model is told first
     * @param options how to answer
     * @param progress of reading what is new
     * @param spec whose streams are written to
     * @throws org.pikv4j.error.InvalidOptionException if the model has no chat template
     */
    Chat(Engine engine, Optional<String> system, GenerationOptions options, Progress progress, CommandSpec spec) {
        this.engine = engine;
        this.system = system;
        this.options = options;
        this.progress = progress;
        this.spec = spec;
        session = engine.openSession();
        conversation = begin(session);
    }

    private Conversation begin(Session empty) {
        Conversation begun = new Conversation(engine.model(), empty);
        system.ifPresent(text -> begun.add(new ChatMessage("system", text)));
        return begun;
    }

    /**
     * Answers lines until there are no more.
     *
     * @param stdin the lines
     * @param prompting whether a person types them and wants to know when it is their turn
     */
    void run(InputStream stdin, boolean prompting) {
        PrintWriter err = spec.commandLine().getErr();
        try (InputStream lines = new BufferedInputStream(stdin)) {
            for (long number = 1; ; number++) {
                if (prompting) {
                    err.print("> ");
                    err.flush();
                }
                Optional<byte[]> line = line(lines);
                if (line.isEmpty()) {
                    if (prompting) {
                        err.println();
                    }
                    return;
                }
                if (!turn(TextFile.STDIN_NAME + ", line " + number, line.get())) {
                    return;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Up to a line break, which is dropped; empty at the end. */
    private static Optional<byte[]> line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int next = in.read();
        if (next < 0) {
            return Optional.empty();
        }
        while (next >= 0 && next != '\n') {
            line.write(next);
            next = in.read();
        }
        return Optional.of(line.toByteArray());
    }

    /** Returns whether the conversation goes on. */
    private boolean turn(String source, byte[] line) {
        try {
            String message = TextFile.decode(source, line).strip();
            switch (message) {
                case "" -> {}
                case "/exit", "/quit" -> {
                    return false;
                }
                case "/reset" -> reset();
                case "/help" -> spec.commandLine().getErr().println(HELP);
                default -> {
                    Matcher command = COMMAND.matcher(message);
                    if (command.matches()) {
                        ErrorReport.print(
                                spec, "unknown command " + command.group(1) + "; there are /reset, /exit and /help");
                    } else {
                        answer(message);
                    }
                }
            }
        } catch (ContextLengthException | KvBudgetExceededException e) {
            ErrorReport.print(spec, e.getMessage() + "; /reset begins a new conversation");
        } catch (PiKVException e) {
            ErrorReport.print(spec, String.valueOf(e.getMessage()));
        }
        return true;
    }

    private void reset() {
        session.close();
        session = engine.openSession();
        conversation = begin(session);
    }

    private void answer(String message) {
        GenerationResult result;
        answering = true;
        try (AnswerPrinter printer = AnswerPrinter.ofReply(Output.of(spec), progress)) {
            result = conversation.say(message, options, printer);
        } finally {
            answering = false;
        }
        spec.commandLine().getErr().println(GenerationReport.of(result, engine).text(Terminal.ERR));
    }

    /**
     * Ends the answer that is under way; may be called by any thread.
     *
     * @return whether there was one
     */
    boolean cancel() {
        session.cancel();
        return answering;
    }

    @Override
    public void close() {
        session.close();
    }
}
