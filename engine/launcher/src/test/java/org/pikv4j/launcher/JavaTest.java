package org.pikv4j.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JavaTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"25.0.1,25", "25,25", "26-ea,26", "1.8.0_452,8", "17.0.15,17", "11.0.2+9,11", "1,1", "x,0", "'',0"})
    void featureOfAVersion(String version, int feature) {
        assertThat(Java.feature(version)).isEqualTo(feature);
    }

    @Test
    void readsTheReleaseFile() throws Exception {
        Java java = Java.in(FakeJava.version(folder, "25.0.1")).orElseThrow();
        assertThat(java).isEqualTo(new Java(folder, "25.0.1", 25, true));
        assertThat(java.usable()).isTrue();
    }

    @Test
    void unquotedValuesAndNoModuleListAreFine() throws Exception {
        assertThat(Java.in(FakeJava.install(folder, "JAVA_VERSION=25.0.1\n"))).hasValueSatisfying(java -> {
            assertThat(java.version()).isEqualTo("25.0.1");
            assertThat(java.usable()).isTrue();
        });
    }

    @Test
    void aTrimmedRuntimeIsNotUsable() throws Exception {
        Path home = FakeJava.install(folder, "JAVA_VERSION=\"25\"\nMODULES=\"java.base java.logging\"\n");
        Java java = Java.in(home).orElseThrow();
        assertThat(java.usable()).isFalse();
        assertThat(java.shortcoming()).contains("jdk.incubator.vector");
    }

    @Test
    void whatIsNoJavaIsNone() throws Exception {
        assertThat(Java.in(folder)).isEmpty();
        assertThat(Java.in(folder.resolve("absent"))).isEmpty();
        Path home = FakeJava.version(folder, "25");
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"Somebody\"\n");
        assertThat(Java.in(home)).isEmpty();
        Files.delete(home.resolve("release"));
        assertThat(Java.in(home)).isEmpty();
    }

    @Test
    void binaryRubbishInTheReleaseFileIsNone() throws Exception {
        Path home = FakeJava.version(folder, "25");
        Files.write(home.resolve("release"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1, 2, '\n', (byte) 0x80});
        assertThat(Java.in(home)).isEmpty();
    }
}
