package org.pikv4j.cache.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.pikv4j.error.InvalidOptionException;

class CodecsTest {

    @Test
    void everyCodecIsFoundByItsName() {
        assertThat(Codecs.builtIn())
                .extracting(Codec::name)
                .containsExactly(
                        "f32",
                        "bf16",
                        "f16",
                        "fp8-e4m3",
                        "fp8-e5m2",
                        "int8",
                        "int4",
                        "int4a",
                        "kivi4",
                        "kivi2",
                        "nvfp4",
                        "mxfp4",
                        "turbo4",
                        "turbo3",
                        "turbo2");
        for (Codec codec : Codecs.builtIn()) {
            assertThat(Codecs.named(codec.name())).isSameAs(codec);
            assertThat(codec.rotated()).isEqualTo(codec.name().startsWith("turbo"));
        }
        assertThat(Codecs.named("chunk-pca:12")).isEqualTo(new ChunkPca(12));
        assertThat(new ChunkPca(12).name()).isEqualTo("chunk-pca:12");
    }

    @Test
    void othersAreRefusedWithTheNamesThereAre() {
        assertThatThrownBy(() -> Codecs.named("int5"))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("kv-dtype 'int5'")
                .hasMessageContaining("nvfp4");
        for (String name : new String[] {
            "chunk-pca", "chunk-pca:", "chunk-pca:0", "chunk-pca:-1", "chunk-pca:x", "chunk-pca:999999"
        }) {
            assertThatThrownBy(() -> Codecs.named(name))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContaining("chunk-pca:8");
        }
    }
}
