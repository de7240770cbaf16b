package org.pikv4j.launcher;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The JVM options of the TornadoVM SDK that {@code TORNADOVM_HOME} names. */
final class Tornado {
    private static final String VARIABLE = "TORNADOVM_HOME";

    private Tornado() {}

    /**
     * The options in the SDK's argument file, and those without which the engine must not run kernels. Empty if there is
     * no such SDK: the engine then reports the backend as unavailable and says why, which is no reason not to start.
     */
    static List<String> options(Map<String, String> environment) {
        String home = environment.get(VARIABLE);
        if (home == null || home.isBlank()) {
            return List.of();
        }
        List<String> options;
        try {
            Path file = Path.of(home.strip()).resolve("tornado-argfile");
            String text = Files.readString(file).replace("${" + VARIABLE + "}", home.strip());
            options = clean(Arguments.split(text, file.toString()));
        } catch (IOException | InvalidPathException | LaunchException e) {
            return List.of();
        }
        // Otherwise a kernel that fails is quietly run once as a plain Java method, with wrong results.
        options.add("-Dtornado.recover.bailout=False");
        return options;
    }

    /**
     * Without {@code .} in the module path: from there the JVM takes any jar of the folder the user happens to be in as a
     * module, and refuses to start where that folder holds two of one name.
     */
    static List<String> clean(List<String> options) {
        List<String> cleaned = new ArrayList<>();
        for (int i = 0; i < options.size(); i++) {
            String option = options.get(i);
            String path = null;
            if (option.startsWith("--module-path=")) {
                path = option.substring("--module-path=".length());
            } else if ((option.equals("--module-path") || option.equals("-p")) && i + 1 < options.size()) {
                path = options.get(++i);
            }
            if (path == null) {
                cleaned.add(option);
                continue;
            }
            String kept = withoutDot(path);
            if (kept != null) {
                cleaned.add("--module-path=" + kept);
            }
        }
        return cleaned;
    }

    private static @Nullable String withoutDot(String path) {
        StringBuilder kept = new StringBuilder();
        int from = 0;
        while (from <= path.length()) {
            int to = path.indexOf(File.pathSeparatorChar, from);
            if (to < 0) {
                to = path.length();
            }
            String entry = path.substring(from, to);
            // An empty entry means the current folder too.
            if (!entry.isEmpty() && !entry.equals(".") && !entry.equals("./")) {
                if (kept.length() > 0) {
                    kept.append(File.pathSeparatorChar);
                }
                kept.append(entry);
            }
            from = to + 1;
        }
        return kept.length() == 0 ? null : kept.toString();
    }
}
