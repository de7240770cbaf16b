package org.pikv4j.loader;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.Lines;

/**
 * Finds models that other programs have downloaded into the local Hugging Face cache; downloads nothing itself.
 *
 * <pre>
 *   hub/models--org--name/refs/main            the commit that "main" stood for
 *   hub/models--org--name/snapshots/COMMIT/    the files, as links into ../../blobs
 * </pre>
 *
 * @see <a href="https://huggingface.co/docs/huggingface_hub/guides/manage-cache">the layout</a>
 */
public final class HubCache {
    /** What the hub allows in the two parts of an id; nothing that could lead out of the cache. */
    private static final Pattern ID = Pattern.compile("(?:[A-Za-z0-9][\\w.-]*/)?[A-Za-z0-9][\\w.-]*");

    private static final Pattern COMMIT = Pattern.compile("[\\w-][\\w.-]*");

    private final Path hub;

    /**
     * @param hub the directory with the models
     */
    public HubCache(Path hub) {
        this.hub = hub;
    }

    /**
     * The cache where Hugging Face's own programs look for it: {@code HF_HUB_CACHE}, else {@code HF_HOME/hub}, else
     * {@code XDG_CACHE_HOME/huggingface/hub}, else {@code ~/.cache/huggingface/hub}.
     *
     * @param environment the environment variables, as {@link System#getenv()} gives them
     * @param home the user's home directory
     * @return the cache, which need not exist
     */
    public static HubCache locate(Map<String, String> environment, Path home) {
        Optional<Path> hub = variable(environment, "HF_HUB_CACHE", home)
                .or(() -> variable(environment, "HUGGINGFACE_HUB_CACHE", home))
                .or(() -> variable(environment, "HF_HOME", home).map(path -> path.resolve("hub")))
                .or(() -> variable(environment, "XDG_CACHE_HOME", home)
                        .map(path -> path.resolve("huggingface").resolve("hub")));
        return new HubCache(hub.orElseGet(
                () -> home.resolve(".cache").resolve("huggingface").resolve("hub")));
    }

    /**
     * @param text what a user named as a model
     * @return whether it has the form of a hub id, {@code org/name} or {@code name}
     */
    public static boolean isId(String text) {
        return ID.matcher(text).matches();
    }

    /**
     * @param id a hub id, {@code org/name} or {@code name}
     * @return the directory with the files of the newest known {@code main}, or of the only snapshot
     * @throws InvalidOptionException if it has not the form of an id
     * @throws ModelFormatException saying where it was looked for
     */
    public Path resolve(String id) {
        if (!isId(id)) {
            throw new InvalidOptionException("'" + Lines.quote(id) + "' is no hub id (org/name)");
        }
        Path model = hub.resolve("models--" + id.replace("/", "--"));
        if (!Files.isDirectory(model)) {
            throw new ModelFormatException(
                    model, "no such directory: " + id + " is not in the local Hugging Face cache");
        }
        Path snapshots = model.resolve("snapshots");
        Path main = model.resolve("refs").resolve("main");
        try {
            if (Files.isRegularFile(main)) {
                Path snapshot = snapshots.resolve(commit(main));
                if (Files.isDirectory(snapshot)) {
                    return snapshot;
                }
            }
            return only(snapshots);
        } catch (IOException e) {
            throw new ModelFormatException(model, "cannot be read: " + Lines.quote(String.valueOf(e.getMessage())), e);
        }
    }

    private static String commit(Path ref) throws IOException {
        byte[] start;
        try (var in = Files.newInputStream(ref)) {
            start = in.readNBytes(256);
        }
        String commit = new String(start, StandardCharsets.ISO_8859_1).strip();
        if (!COMMIT.matcher(commit).matches()) {
            throw new ModelFormatException(ref, "not the name of a commit: " + Lines.quote(commit));
        }
        return commit;
    }

    private static Path only(Path snapshots) throws IOException {
        List<Path> found = List.of();
        if (Files.isDirectory(snapshots)) {
            try (Stream<Path> entries = Files.list(snapshots)) {
                found = entries.filter(Files::isDirectory).sorted().toList();
            }
        }
        if (found.size() == 1) {
            return found.getFirst();
        }
        throw new ModelFormatException(
                snapshots,
                found.isEmpty()
                        ? "no snapshot is there; the download may not have finished"
                        : "refs/main names none of the snapshots "
                                + found.stream()
                                        .map(path -> String.valueOf(path.getFileName()))
                                        .collect(Collectors.joining(", "))
                                + "; name one of these directories instead");
    }

    private static Optional<Path> variable(Map<String, String> environment, String name, Path home) {
        String value = environment.getOrDefault(name, "");
        if (value.isBlank()) {
            return Optional.empty();
        }
        // Hugging Face expands the tilde itself, as a variable may hold it unexpanded.
        return Optional.of(value.startsWith("~/") ? home.resolve(value.substring(2)) : Path.of(value));
    }
}
