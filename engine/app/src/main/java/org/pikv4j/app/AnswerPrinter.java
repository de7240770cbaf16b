package org.pikv4j.app;

import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.session.GenerationListener;

/** Prints an answer as it comes, and the progress of what comes before it. Closing it ends the line. */
final class AnswerPrinter implements GenerationListener, AutoCloseable {
    private final Output output;
    private final Progress progress;
    private boolean lineOpen;

    AnswerPrinter(Output output, Progress progress) {
        this.output = output;
        this.progress = progress;
    }

    @Override
    public void prefill(int done, int total) {
        progress.update("Reading the prompt", done, total);
    }

    @Override
    public void text(String piece) {
        output.print(piece);
        lineOpen = !piece.endsWith("\n");
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
