import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.ImportOrderer;
import com.palantir.javaformat.java.JavaFormatterOptions;
import com.palantir.javaformat.java.JavaFormatterOptions.Style;
import com.palantir.javaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListSet;

/**
 * Checks or mends the formatting of every Java source below a folder.
 *
 * <p>{@code java -cp formatter/* Format.java check|write ROOT}. A file that has not changed since the last run that found
 * nothing to complain about is not parsed again: the time of that run is the time of {@code ROOT/target/format.stamp}.
 * What is wrong goes to stdout and to {@code ROOT/target/unformatted.txt}, which is absent when all is well.
 */
final class Format {
    private static final JavaFormatterOptions OPTIONS = JavaFormatterOptions.builder()
            .style(Style.PALANTIR)
            .formatJavadoc(false)
            .build();

    private Format() {}

    public static void main(String[] args) throws IOException {
        boolean write = args[0].equals("write");
        Path root = Path.of(args[1]).toRealPath();
        Path stamp = root.resolve("target/format.stamp");
        // Taken before anything is read, so that an edit during this run is seen by the next one.
        FileTime started = FileTime.fromMillis(System.currentTimeMillis());
        // The rules themselves may have changed: the pom names the formatter's version, this file the options.
        FileTime rules = later(
                Files.getLastModifiedTime(root.resolve("pom.xml")),
                Files.getLastModifiedTime(root.resolve(".mvn/format/Format.java")));
        FileTime clean = Files.exists(stamp) ? Files.getLastModifiedTime(stamp) : FileTime.fromMillis(0);
        boolean all = clean.compareTo(rules) <= 0;

        List<Path> sources = sources(root, all ? FileTime.fromMillis(0) : clean);
        ConcurrentSkipListSet<String> wrong = new ConcurrentSkipListSet<>();
        ConcurrentSkipListSet<String> broken = new ConcurrentSkipListSet<>();
        sources.parallelStream().forEach(source -> {
            String name = root.relativize(source).toString().replace('\\', '/');
            try {
                String text = Files.readString(source);
                String formatted = format(text);
                if (!formatted.equals(text)) {
                    wrong.add(name);
                    if (write) {
                        Files.writeString(source, formatted);
                    }
                }
            } catch (FormatterException e) {
                broken.add(name + ": " + e.diagnostics().getFirst());
            } catch (IOException e) {
                throw new UncheckedIOException(name, e);
            }
        });

        Path list = root.resolve("target/unformatted.txt");
        Files.createDirectories(list.getParent());
        Files.deleteIfExists(list);
        if (write && !wrong.isEmpty()) {
            print("Formatted", wrong);
            wrong.clear();
        }
        if (!wrong.isEmpty() || !broken.isEmpty()) {
            print("Not formatted", wrong);
            print("Not Java that can be parsed", broken);
            wrong.addAll(broken);
            Files.write(list, wrong);
            if (write) {
                System.exit(1); // no enforcer looks at the list here
            }
        } else {
            Files.writeString(stamp, "");
            Files.setLastModifiedTime(stamp, started);
        }
    }

    private static void print(String title, Collection<String> lines) {
        if (!lines.isEmpty()) {
            System.out.println(title + " (" + lines.size() + "):");
            lines.forEach(line -> System.out.println("  " + line));
        }
    }

    private static String format(String text) throws FormatterException {
        String ordered = ImportOrderer.reorderImports(RemoveUnusedImports.removeUnusedImports(text), Style.PALANTIR);
        return Formatter.createFormatter(OPTIONS).formatSource(ordered);
    }

    private static FileTime later(FileTime a, FileTime b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    private static List<Path> sources(Path root, FileTime since) throws IOException {
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
                String name = dir.getFileName().toString();
                boolean skip = name.equals("target") || name.equals(".git") || name.equals("resources");
                return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (file.toString().endsWith(".java")
                        && attributes.lastModifiedTime().compareTo(since) >= 0) {
                    found.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }
}
