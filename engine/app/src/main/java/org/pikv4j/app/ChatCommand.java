package org.pikv4j.app;

import java.io.PrintWriter;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.CtrlC;
import org.pikv4j.cli.DemoModel;
import org.pikv4j.cli.EngineOptionsMixin;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Progress;
import org.pikv4j.cli.Terminal;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Talks with a model, turn by turn. */
@Command(
        name = "chat",
        description = {
            "Talk with a model: each line of stdin is a message, its answer goes to stdout.",
            "The cache is kept between turns, so each turn reads only what is new. /reset begins a new conversation,"
                    + " /exit or the end of stdin ends it, /help says so, Ctrl-C ends an answer."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  pikv4j chat --system 'Notes: Ada likes mango. The knife is in the garage.'",
            "  pikv4j chat --model Qwen/Qwen3-30B-A3B --temperature 0.7"
        })
final class ChatCommand implements Callable<Integer> {
    @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told before the first message.")
    private Optional<String> system = Optional.empty();

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private final EngineOptionsMixin engineOptions = new EngineOptionsMixin("bf16");

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        sampling.check();
        try (Progress progress = Progress.onStderr();
                Interruption loading = new Interruption(spec, progress);
                ModelSource model = engineOptions.model();
                Engine engine = engineOptions.open(model.path(), progress.shareOf("Loading the model"))) {
            GenerationOptions options = sampling.over(engine.model().generationDefaults());
            sampling.warn(options);
            boolean demoNotes = system.isEmpty() && model instanceof DemoModel;
            Optional<String> told = demoNotes ? Optional.of(DemoModel.NOTES) : system;
            try (Chat chat = new Chat(engine, told, options, progress, spec)) {
                boolean person = Terminal.IN.present();
                CtrlC.does(() -> interrupt(chat, person));
                loading.handOver();
                greet(model, person, demoNotes);
                chat.run(System.in, person);
            }
        }
        return ExitCodes.OK;
    }

    /** Ctrl-C ends the answer under way; without one, the chat. */
    private void interrupt(Chat chat, boolean person) {
        if (!chat.cancel()) {
            if (person) {
                spec.commandLine().getErr().println();
            }
            System.exit(ExitCodes.INTERRUPTED);
        }
    }

    private void greet(ModelSource model, boolean person, boolean demoNotes) {
        PrintWriter err = spec.commandLine().getErr();
        if (person) {
            err.println("Talking with " + model.name() + "; /reset begins anew, /exit ends.");
        }
        if (demoNotes) {
            err.println("All that the demo model knows (--system tells it something else):");
            err.println("  " + DemoModel.NOTES);
            err.println("Ask for instance: Where is the knife?");
        }
    }
}
