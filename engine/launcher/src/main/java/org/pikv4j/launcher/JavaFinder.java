package org.pikv4j.launcher;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds a Java that the engine runs on.
 *
 * <p>In this order: the one that {@code PIKV4J_JAVA_HOME} names, or an error if that is none; the one that is running;
 * the one that {@code JAVA_HOME} names, unless it is too old, as it often is for good reasons; then the installed ones.
 * Among those the nearest to {@link Java#REQUIRED} wins, with its latest update: it is the one that the engine was tested
 * on, and later ones may drop an incubating module.
 *
 * @param environment the variables
 * @param running the Java that runs the launcher
 * @param places where to look for installed ones
 */
record JavaFinder(Map<String, String> environment, Java running, List<Place> places) {
    static final String HOME_VARIABLE = "PIKV4J_JAVA_HOME";

    /**
     * A folder whose subfolders are Java homes.
     *
     * @param folder the folder
     * @param inner where in each subfolder the home is, empty for the subfolder itself
     */
    record Place(Path folder, String inner) {
        Place(Path folder) {
            this(folder, "");
        }
    }

    /** Where the usual installers of all systems put a Java. Folders that are not there cost one failing system call. */
    static List<Place> usualPlaces(Path userHome, Map<String, String> environment) {
        List<Place> places = new ArrayList<>();
        places.add(new Place(Path.of("/usr/lib/jvm")));
        places.add(new Place(Path.of("/usr/lib64/jvm")));
        places.add(new Place(Path.of("/usr/java")));
        places.add(new Place(Path.of("/opt/java")));
        places.add(new Place(userHome.resolve(".sdkman/candidates/java")));
        places.add(new Place(userHome.resolve(".jdks")));
        places.add(new Place(userHome.resolve(".m2/jdks")));
        places.add(new Place(userHome.resolve(".gradle/jdks")));
        places.add(new Place(userHome.resolve(".asdf/installs/java")));
        places.add(new Place(userHome.resolve(".local/share/mise/installs/java")));
        for (Path mac : List.of(Path.of("/Library"), userHome.resolve("Library"))) {
            places.add(new Place(mac.resolve("Java/JavaVirtualMachines"), "Contents/Home"));
        }
        for (String brew : List.of("/opt/homebrew/opt", "/usr/local/opt")) {
            places.add(new Place(Path.of(brew), "libexec/openjdk.jdk/Contents/Home"));
        }
        String programs = environment.get("ProgramFiles");
        if (programs != null) {
            for (String vendor :
                    List.of("Java", "Eclipse Adoptium", "Microsoft", "Zulu", "Amazon Corretto", "BellSoft")) {
                places.add(new Place(Path.of(programs, vendor)));
            }
        }
        return places;
    }

    /**
     * The Java to start.
     *
     * @throws LaunchException if there is none, or the variable names none
     */
    Java find() throws LaunchException {
        String named = environment.get(HOME_VARIABLE);
        if (named != null && !named.isBlank()) {
            return named(named);
        }
        if (running.usable()) {
            return running;
        }
        Java best = null;
        String javaHome = environment.get("JAVA_HOME");
        if (javaHome != null && !javaHome.isBlank()) {
            Optional<Java> java = at(javaHome);
            if (java.isPresent() && java.get().usable()) {
                return java.get();
            }
        }
        for (Place place : places) {
            for (Java java : in(place)) {
                if (java.usable() && (best == null || better(java, best))) {
                    best = java;
                }
            }
        }
        if (best == null) {
            throw new LaunchException("PiKV4J needs Java " + Java.REQUIRED + " or later and found none (this is Java "
                    + running.version() + "): install one, for example Eclipse Temurin " + Java.REQUIRED + ", or set "
                    + HOME_VARIABLE + " to the folder of one");
        }
        return best;
    }

    private static Java named(String folder) throws LaunchException {
        Optional<Java> java = at(folder);
        if (java.isEmpty()) {
            throw new LaunchException(HOME_VARIABLE + "=" + folder
                    + " is not the folder of a Java (no bin/java with a file named release): set it to that of a Java "
                    + Java.REQUIRED + " or later");
        }
        if (!java.get().usable()) {
            throw new LaunchException(HOME_VARIABLE + "=" + folder + " "
                    + java.get().shortcoming() + ": set it to the folder of a Java " + Java.REQUIRED + " or later");
        }
        return java.get();
    }

    private static Optional<Java> at(String folder) {
        try {
            return Java.in(Path.of(folder.strip()));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static List<Java> in(Place place) {
        List<Java> found = new ArrayList<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(place.folder())) {
            for (Path folder : folders) {
                Java.in(folder.resolve(place.inner())).ifPresent(found::add);
            }
        } catch (IOException e) {
            return found; // not there, or not ours to read: then there is none in it
        }
        return found;
    }

    private static boolean better(Java a, Java b) {
        if (a.feature() != b.feature()) {
            return a.feature() < b.feature();
        }
        Runtime.@Nullable Version va = version(a);
        Runtime.@Nullable Version vb = version(b);
        if (va == null || vb == null) {
            return va != null;
        }
        int order = va.compareToIgnoreOptional(vb);
        // Equal ones (mostly links to the same folder): by name, so that two runs take the same.
        return order != 0 ? order > 0 : a.home().compareTo(b.home()) < 0;
    }

    private static Runtime.@Nullable Version version(Java java) {
        try {
            return Runtime.Version.parse(java.version());
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
