package org.pikv4j.app;

import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.session.GenerationListener;

/**
 * Prints an answer as it comes, and the progress of what comes before it. Closing it ends the line.
 *
 * <p>A continuation is printed to the last blank. The blanks before a reply only separate it from what the model has read, and
 * are left out.
 */
final class AnswerPrinter implements GenerationListener, AutoCloseable {
    private final Output output;
    private final Progress progress;
    private boolean skippingBlanks;
    private boolean lineOpen;

    private AnswerPrinter(Output output, Progress progress, boolean skippingBlanks) {
        this.output = output;
        this.progress = progress;
        this.skippingBlanks = skippingBlanks;
    }

    static AnswerPrinter ofContinuation(Output output, Progress progress) {
        return new AnswerPrinter(output, progress, false);
    }

    static AnswerPrinter ofReply(Output output, Progress progress) {
        return new AnswerPrinter(output, progress, true);
    }

    @Override
    public void prefill(int done, int total) {
        progress.update("Reading the prompt", done, total);
    }

    @Override
    public void text(String piece) {
        String shown = skippingBlanks ? piece.stripLeading() : piece;
        if (shown.isEmpty()) {
            return;
        }
        skippingBlanks = false;
        output.print(shown);
        lineOpen = !shown.endsWith("\n");
    }

    @Override
    public void close() {
        progress.close();
        if (lineOpen) {
            lineOpen = false;
            output.print("\n");
        }
    }
}
