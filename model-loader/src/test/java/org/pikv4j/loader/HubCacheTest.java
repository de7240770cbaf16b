package org.pikv4j.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ModelFormatException;

class HubCacheTest {
    @TempDir
    Path home;

    @Test
    void looksWhereHuggingFaceLooks() throws IOException {
        Path byCache = snapshot(home.resolve("a"), "c1");
        Path byHome = snapshot(home.resolve("b/hub"), "c1");
        Path byXdg = snapshot(home.resolve("c/huggingface/hub"), "c1");
        Path byDefault = snapshot(home.resolve(".cache/huggingface/hub"), "c1");
        String a = home.resolve("a").toString();
        String b = home.resolve("b").toString();
        String c = home.resolve("c").toString();
        assertThat(resolve(Map.of("HF_HUB_CACHE", a, "HF_HOME", b, "XDG_CACHE_HOME", c)))
                .isEqualTo(byCache);
        assertThat(resolve(Map.of("HUGGINGFACE_HUB_CACHE", a, "HF_HOME", b))).isEqualTo(byCache);
        assertThat(resolve(Map.of("HF_HUB_CACHE", "", "HF_HOME", b, "XDG_CACHE_HOME", c)))
                .isEqualTo(byHome);
        assertThat(resolve(Map.of("HF_HOME", "~/b"))).isEqualTo(byHome);
        assertThat(resolve(Map.of("XDG_CACHE_HOME", c))).isEqualTo(byXdg);
        assertThat(resolve(Map.of())).isEqualTo(byDefault);
    }

    @Test
    void takesTheCommitThatMainStandsFor() throws IOException {
        snapshot(home, "c1");
        Path second = snapshot(home, "c2");
        Files.createDirectories(home.resolve("models--org--name/refs"));
        Files.writeString(home.resolve("models--org--name/refs/main"), "c2\n");
        assertThat(new HubCache(home).resolve("org/name")).isEqualTo(second);
    }

    @Test
    void saysWhereItLooked() throws IOException {
        refused("org/none", home.resolve("models--org--none") + ": no such directory: org/none is not in the local");
        Files.createDirectories(home.resolve("models--org--name/refs"));
        refused("org/name", home.resolve("models--org--name/snapshots") + ": no snapshot is there");
        snapshot(home, "c1");
        snapshot(home, "c2");
        refused("org/name", home.resolve("models--org--name/snapshots") + ": refs/main names none of the snapshots c1");
        Files.writeString(home.resolve("models--org--name/refs/main"), "../../../..");
        refused("org/name", home.resolve("models--org--name/refs/main") + ": not the name of a commit: ../../../..");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "a/", "/a", "a/b/c", "../a", "a/..", "a b", "a/b\n", ".a/b"})
    void refusesWhatIsNoId(String id) {
        assertThat(HubCache.isId(id)).isFalse();
        assertThatThrownBy(() -> new HubCache(home).resolve(id))
                .isInstanceOf(InvalidOptionException.class)
                .message()
                .doesNotContain("\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "org/name", "Qwen/Qwen1.5-MoE-A2.7B", "a_b/c-d"})
    void knowsIds(String id) {
        assertThat(HubCache.isId(id)).isTrue();
    }

    private Path resolve(Map<String, String> environment) {
        return HubCache.locate(environment, home).resolve("org/name");
    }

    private void refused(String id, String message) {
        assertThatThrownBy(() -> new HubCache(home).resolve(id))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageStartingWith(message);
    }

    private static Path snapshot(Path hub, String commit) throws IOException {
        return Files.createDirectories(
                hub.resolve("models--org--name").resolve("snapshots").resolve(commit));
    }
}
