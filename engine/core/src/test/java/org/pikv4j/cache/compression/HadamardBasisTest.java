package org.pikv4j.cache.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;

class HadamardBasisTest {

    private static final int[][] HEADS_AND_BLOCKS = {{16, 16}, {20, 4}, {64, 64}, {80, 16}, {96, 32}, {128, 128}, {7, 1}
    };

    @Test
    void isOrthogonal() {
        for (int[] headAndBlock : HEADS_AND_BLOCKS) {
            int n = headAndBlock[0];
            Basis basis = HadamardBasis.of(n);
            assertThat(basis).isSameAs(HadamardBasis.of(n));
            assertThat(basis.name()).isEqualTo("rotate");
            assertThat(basis.rank()).isEqualTo(n);
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    double product = 0;
                    for (int k = 0; k < n; k++) {
                        product += (double) basis.down()[i * n + k] * basis.down()[j * n + k];
                    }
                    assertThat(product).isCloseTo(i == j ? 1 : 0, within(1e-6));
                    assertThat(basis.up()[j * n + i]).isEqualTo(basis.down()[i * n + j]);
                    boolean inBlock = i / headAndBlock[1] == j / headAndBlock[1];
                    assertThat(Math.abs(basis.down()[i * n + j]))
                            .isCloseTo(inBlock ? (float) (1 / Math.sqrt(headAndBlock[1])) : 0f, within(1e-7f));
                }
            }
        }
    }

    @Test
    void isTheWalshHadamardTransformOfSignedElements() {
        int n = 64;
        Random signs = new Random(1);
        float[] x = TestSeeds.normal(new SplittableRandom(3), n);
        double[] transformed = new double[n];
        for (int i = 0; i < n; i++) {
            transformed[i] = (signs.nextBoolean() ? -x[i] : x[i]) / Math.sqrt(n);
        }
        for (int half = 1; half < n; half *= 2) {
            for (int i = 0; i < n; i++) {
                if ((i & half) == 0) {
                    double sum = transformed[i] + transformed[i + half];
                    transformed[i + half] = transformed[i] - transformed[i + half];
                    transformed[i] = sum;
                }
            }
        }
        float[] rotated = new float[n];
        HadamardBasis.of(n).project(x, 0, rotated, 0);
        for (int i = 0; i < n; i++) {
            assertThat((double) rotated[i]).isCloseTo(transformed[i], within(1e-5));
        }
    }

    /** What it is for: an outlying element costs its neighbours less. */
    @Test
    void makesFourBitsUsable() {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        int tokens = 16;
        int headDim = 64;
        HalfShape shape = new HalfShape(HalfShape.Side.KEYS, tokens, headDim);
        float[] rows = TestSeeds.normal(random, tokens * headDim);
        for (int t = 0; t < tokens; t++) {
            rows[t * headDim + 9] = 20f;
        }
        double plain = error(new HalfForm(Codecs.named("int4")), shape, rows);
        double rotated = error(new HalfForm(Codecs.named("int4"), Optional.of(HadamardBasis.of(headDim))), shape, rows);
        assertThat(rotated).as(TestSeeds.repeat(seed)).isLessThan(plain * 0.75);
    }

    private static double error(HalfForm form, HalfShape shape, float[] rows) {
        MemorySegment half = MemorySegment.ofArray(new byte[form.codec().bytes(shape)]);
        form.encode(shape, rows, shape.width(), half);
        float[] decoded = new float[rows.length];
        form.decode(shape, half, shape.width(), decoded);
        double sum = 0;
        for (int i = 0; i < rows.length; i++) {
            sum += Math.pow(decoded[i] - rows[i], 2);
        }
        return Math.sqrt(sum);
    }
}
