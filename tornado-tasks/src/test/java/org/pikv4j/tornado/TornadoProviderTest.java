package org.pikv4j.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pikv4j.backend.BackendStatus.Unavailable;

class TornadoProviderTest {

    private static Unavailable probe(Optional<Path> home) {
        return (Unavailable) new TornadoProvider(home).probe();
    }

    @Test
    void saysWhatIsMissing(@TempDir Path sdk) throws IOException {
        assertThat(probe(Optional.empty()).reason()).contains("no TornadoVM kernels yet", "TORNADOVM_HOME is not set");
        assertThat(probe(Optional.of(Path.of("/nowhere"))).reason()).contains("/nowhere", "no tornado-argfile");
        Files.createFile(sdk.resolve("tornado-argfile"));
        assertThat(probe(Optional.of(sdk)).reason()).contains("no TornadoVM kernels yet", sdk.toString());
        assertThat(probe(Optional.of(sdk)).remedy()).contains("--backend vector");
    }
}
