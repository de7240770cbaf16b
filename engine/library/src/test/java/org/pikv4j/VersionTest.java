package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class VersionTest {
    @Test
    void theBuildWroteANumber() {
        assertThat(Version.current().number()).matches("\\d+\\.\\d+\\.\\d+");
        assertThat(Version.current().line())
                .startsWith("PiKV4J " + Version.current().number() + " (");
    }

    @Test
    void aSnapshotIsNamedAsOne() {
        assertThat(Version.parse("1.2.3-SNAPSHOT")).isEqualTo(new Version("1.2.3", true));
        assertThat(Version.parse("1.2.3")).isEqualTo(new Version("1.2.3", false));
    }
}
