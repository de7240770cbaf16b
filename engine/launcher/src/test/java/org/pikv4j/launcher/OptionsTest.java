package org.pikv4j.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OptionsTest {
    @TempDir
    Path folder;

    @Test
    void theUsersOptionsComeLast() throws Exception {
        List<String> options = Launcher.options(Map.of("PIKV4J_JAVA_OPTS", "-Xms1g \"-Da=b c\""), "-Dfrom=jar");
        assertThat(options)
                .contains("--add-modules=jdk.incubator.vector", "-XX:+UseSerialGC", "-Dfrom=jar")
                .endsWith("-Xms1g", "-Da=b c");
        assertThat(options.indexOf("-Xms32m")).isLessThan(options.indexOf("-Xms1g"));
    }

    @Test
    void anotherCollectorTakesThePlaceOfOurs() throws Exception {
        assertThat(Launcher.options(Map.of("PIKV4J_JAVA_OPTS", "-XX:+UseZGC"), null))
                .contains("-XX:+UseZGC")
                .doesNotContain("-XX:+UseSerialGC");
    }

    @Test
    void brokenOptionsAreNamed() {
        assertThatThrownBy(() -> Launcher.options(Map.of("PIKV4J_JAVA_OPTS", "'"), null))
                .isInstanceOf(LaunchException.class)
                .hasMessageContaining("PIKV4J_JAVA_OPTS");
    }

    @Test
    void theArgumentFileOfTornado() throws Exception {
        String sep = File.pathSeparator;
        Files.writeString(
                folder.resolve("tornado-argfile"),
                "# JVM\n-XX:+EnableJVMCI\n--module-path ." + sep + "${TORNADOVM_HOME}/share/java/tornado\n"
                        + "--add-modules ALL-SYSTEM,tornado.runtime\n");
        assertThat(Tornado.options(Map.of("TORNADOVM_HOME", folder.toString())))
                .containsExactly(
                        "-XX:+EnableJVMCI",
                        "--module-path=" + folder + "/share/java/tornado",
                        "--add-modules",
                        "ALL-SYSTEM,tornado.runtime",
                        "-Dtornado.recover.bailout=False");
    }

    @Test
    void aModulePathOfNothingButTheCurrentFolderGoes() {
        String sep = File.pathSeparator;
        assertThat(Tornado.clean(
                        List.of("-p", ".", "-x", "--module-path=" + sep + "./" + sep + "/a" + sep + ".", "-p")))
                .containsExactly("-x", "--module-path=/a", "-p");
    }

    @Test
    void noTornadoIsNoReasonNotToStart() {
        assertThat(Tornado.options(Map.of())).isEmpty();
        assertThat(Tornado.options(Map.of("TORNADOVM_HOME", ""))).isEmpty();
        assertThat(Tornado.options(Map.of("TORNADOVM_HOME", folder.toString()))).isEmpty();
        assertThat(Tornado.options(Map.of("TORNADOVM_HOME", "no\0path"))).isEmpty();
    }
}
