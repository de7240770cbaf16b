package org.pikv4j.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is passed on is in {@link LauncherEndToEndTest}. */
class DescriptorsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-",
                "/dev/fd/0",
                "/dev/fd/2",
                "/dev/fd/123456",
                "/dev/fd/",
                "/dev/fd/3/x",
                "say /dev/fd/3",
                "a=/dev/fd/3",
                "--x=y=/dev/fd/3"
            })
    void allElseStaysAsItIs(String argument) {
        assertThat(Descriptors.ofLauncher(argument)).isEqualTo(argument);
    }
}
