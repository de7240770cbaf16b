package org.pikv4j.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The model inside the jar, which answers where no other is named. It is a small Mixtral that was trained to recall facts
 * from what it has just read; {@code MODEL.md} beside its files says more.
 *
 * <p>Weights are mapped from files, so it is unpacked into a temporary directory for as long as this is open.
 */
public final class DemoModel implements ModelSource {
    /** What it is told where nobody tells it anything: it knows nothing of itself. */
    public static final String NOTES = "Notes: Ada likes mango. The knife is in the garage. The baker lives in Rome.";

    private static final String RESOURCES = "demo/";
    private static final List<String> FILES = List.of(
            "config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors");

    private final TemporaryDirectory directory = new TemporaryDirectory("pikv4j-demo-");

    /** Unpacks it. */
    public DemoModel() {
        try {
            for (String file : FILES) {
                unpack(file);
            }
        } catch (IOException e) {
            directory.close();
            throw new UncheckedIOException("the demo model could not be unpacked to " + directory.path(), e);
        }
    }

    private void unpack(String file) throws IOException {
        try (InputStream in = DemoModel.class.getResourceAsStream(RESOURCES + file)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCES + file + " is missing from the jar");
            }
            Files.copy(in, directory.path().resolve(file));
        }
    }

    @Override
    public Path path() {
        return directory.path();
    }

    @Override
    public String name() {
        return "the demo model";
    }

    @Override
    public void close() {
        directory.close();
    }
}
