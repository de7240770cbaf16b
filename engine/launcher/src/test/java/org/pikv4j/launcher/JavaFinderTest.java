package org.pikv4j.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pikv4j.launcher.JavaFinder.Place;

class JavaFinderTest {
    private static final Java OLD = new Java(Path.of("/running"), "17.0.15", 17, false);

    @TempDir
    Path folder;

    private Path jdks;

    @BeforeEach
    void makePlace() throws Exception {
        jdks = Files.createDirectory(folder.resolve("jdks"));
    }

    private JavaFinder finder(Java running, Map<String, String> environment) {
        return new JavaFinder(environment, running, List.of(new Place(folder.resolve("absent")), new Place(jdks)));
    }

    @Test
    void theVariableComesFirst() throws Exception {
        Path named = FakeJava.version(folder.resolve("named"), "26.0.1");
        FakeJava.version(jdks.resolve("a"), "25.0.1");
        Java running = new Java(Path.of("/running"), "25.0.2", 25, true);
        Map<String, String> environment = Map.of("PIKV4J_JAVA_HOME", named.toString());
        assertThat(finder(running, environment).find().home()).isEqualTo(named);
    }

    @Test
    void theVariableIsAnErrorIfItNamesNothingUsable() throws Exception {
        FakeJava.version(jdks.resolve("a"), "25.0.1");
        String absent = folder.resolve("nowhere").toString();
        assertThatThrownBy(() -> finder(OLD, Map.of("PIKV4J_JAVA_HOME", absent)).find())
                .isInstanceOf(LaunchException.class)
                .hasMessageStartingWith("PIKV4J_JAVA_HOME=" + absent + " is not the folder of a Java")
                .hasMessageNotContaining("\n");

        String old = FakeJava.version(folder.resolve("old"), "21.0.4").toString();
        assertThatThrownBy(() -> finder(OLD, Map.of("PIKV4J_JAVA_HOME", old)).find())
                .isInstanceOf(LaunchException.class)
                .hasMessageContaining("is Java 21.0.4");

        assertThatThrownBy(() ->
                        finder(OLD, Map.of("PIKV4J_JAVA_HOME", "no\0path")).find())
                .isInstanceOf(LaunchException.class);
    }

    @Test
    void anEmptyVariableIsNone() throws Exception {
        Path home = FakeJava.version(jdks.resolve("a"), "25.0.1");
        assertThat(finder(OLD, Map.of("PIKV4J_JAVA_HOME", "", "JAVA_HOME", " "))
                        .find()
                        .home())
                .isEqualTo(home);
    }

    @Test
    void theRunningJavaComesBeforeJavaHomeAndThatBeforeTheOthers() throws Exception {
        Path javaHome = FakeJava.version(folder.resolve("home"), "27");
        FakeJava.version(jdks.resolve("a"), "25.0.1");
        Map<String, String> environment = Map.of("JAVA_HOME", javaHome.toString());
        Java running = new Java(Path.of("/running"), "26", 26, true);
        assertThat(finder(running, environment).find()).isEqualTo(running);
        assertThat(finder(OLD, environment).find().home()).isEqualTo(javaHome);
    }

    @Test
    void anOldJavaHomeIsPassedOver() throws Exception {
        Path old = FakeJava.version(folder.resolve("home"), "17.0.1");
        Path home = FakeJava.version(jdks.resolve("a"), "25.0.1");
        assertThat(finder(OLD, Map.of("JAVA_HOME", old.toString())).find().home())
                .isEqualTo(home);
    }

    @Test
    void theNearestFeatureWithTheLatestUpdateWins() throws Exception {
        FakeJava.version(jdks.resolve("a"), "26.0.1");
        FakeJava.version(jdks.resolve("b"), "25.0.9");
        FakeJava.version(jdks.resolve("c"), "25.0.10");
        FakeJava.version(jdks.resolve("d"), "25.0.2");
        FakeJava.version(jdks.resolve("e"), "24.0.2");
        FakeJava.install(jdks.resolve("f"), "JAVA_VERSION=\"25.0.11\"\nMODULES=\"java.base\"\n");
        Files.writeString(jdks.resolve("g"), "a file");
        assertThat(finder(OLD, Map.of()).find().home()).isEqualTo(jdks.resolve("c"));
    }

    @Test
    void aHomeMayLieDeeper() throws Exception {
        Path home = FakeJava.version(jdks.resolve("temurin-25.jdk/Contents/Home"), "25.0.1");
        JavaFinder finder = new JavaFinder(Map.of(), OLD, List.of(new Place(jdks, "Contents/Home")));
        assertThat(finder.find().home()).isEqualTo(home);
    }

    @Test
    void noneIsOneLineThatSaysWhatToDo() throws Exception {
        FakeJava.version(jdks.resolve("a"), "21.0.4");
        assertThatThrownBy(() -> finder(OLD, Map.of()).find())
                .isInstanceOf(LaunchException.class)
                .hasMessageContaining("Java 25 or later")
                .hasMessageContaining("17.0.15")
                .hasMessageContaining("PIKV4J_JAVA_HOME")
                .hasMessageNotContaining("\n");
    }

    @Test
    void theUsualPlacesNeedNoVariables() {
        assertThat(JavaFinder.usualPlaces(folder, Map.of()))
                .contains(new Place(Path.of("/usr/lib/jvm")), new Place(folder.resolve(".jdks")));
        assertThat(JavaFinder.usualPlaces(folder, Map.of("ProgramFiles", folder.toString())))
                .contains(new Place(folder.resolve("Eclipse Adoptium")));
    }
}
