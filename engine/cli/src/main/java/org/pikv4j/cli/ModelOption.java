package org.pikv4j.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.HubCache;
import picocli.CommandLine.Option;

/** Which model: a directory, or the id of one that lies in the local Hugging Face cache. */
public final class ModelOption {
    private static final String CONFIG = "config.json";
    /** Ends no id, though it might. */
    private static final String FILES = ".json";

    @Option(
            names = "--model",
            paramLabel = "DIR|ID",
            order = 0,
            description =
                    "A model's directory (config.json, *.safetensors, tokenizer.json), or the id of a model in the"
                            + " local Hugging Face cache (default: the demo model inside the jar).")
    private Optional<String> model = Optional.empty();

    /**
     * @return the model asked for, or the demo model; the caller closes it
     * @throws InvalidOptionException if it is neither there nor in the cache
     */
    public ModelSource source() {
        return model.isPresent() ? new ModelSource.Directory(resolve(model.get()), model.get()) : new DemoModel();
    }

    private static Path resolve(String text) {
        Path path;
        try {
            path = Path.of(text);
        } catch (InvalidPathException e) {
            throw new InvalidOptionException("--model '" + text + "' is no path: " + e.getReason());
        }
        if (text.isEmpty()) {
            throw new InvalidOptionException("--model is empty; it takes a model's directory or a hub id");
        }
        if (Files.isDirectory(path) && !Files.exists(path.resolve(CONFIG))) {
            throw new InvalidOptionException("--model " + text + ": not a model directory: " + CONFIG + " is missing");
        }
        if (Files.exists(path)) {
            return path;
        }
        if (!HubCache.isId(text) || text.endsWith(FILES)) {
            throw new InvalidOptionException("--model " + text + ": no such file or directory");
        }
        try {
            return HubCache.locate(System.getenv(), Path.of(System.getProperty("user.home", ".")))
                    .resolve(text);
        } catch (ModelFormatException e) {
            throw new InvalidOptionException("--model " + text + ": no such file or directory, and " + e.getMessage()
                    + "; give a directory, or run: huggingface-cli download " + text);
        }
    }
}
