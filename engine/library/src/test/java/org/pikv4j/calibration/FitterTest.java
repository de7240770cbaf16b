package org.pikv4j.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;

/** The mathematics of the methods, on vectors whose moments are known. */
class FitterTest {
    private static final int HEAD_DIM = 16;
    private static final int HEADS = 4;
    private static final int KV_HEADS = 2;
    private static final int TOKENS = 1600;

    private static AttentionSpec spec() {
        return new AttentionSpec(
                HEADS,
                KV_HEADS,
                HEAD_DIM,
                (float) (1 / Math.sqrt(HEAD_DIM)),
                AttentionSpec.FULL,
                new RopeSpec(10_000, HEAD_DIM),
                AttentionSpec.QkNorm.NONE,
                Float.POSITIVE_INFINITY);
    }

    /** Vectors of some directions and strengths per head, around a mean that is not zero. */
    private static LayerStatistics random(int sampled) {
        SplittableRandom random = new SplittableRandom(7);
        float[] queries = vectors(random, HEADS);
        float[] keys = vectors(random, KV_HEADS);
        float[] values = vectors(random, KV_HEADS);
        float[] attended = vectors(random, HEADS);
        LayerStatistics layer = new LayerStatistics(
                0, spec(), sampled == 0 ? Optional.empty() : Optional.of(new AttentionSample(spec(), TOKENS, sampled)));
        for (int position = 0; position < TOKENS; position += 100) {
            layer.add(new AttentionRows(
                    0, spec(), position, position, 100, queries, keys, values, attended, (row, kvHead) -> new int[0]));
        }
        return layer;
    }

    private static float[] vectors(SplittableRandom random, int heads) {
        float[] result = new float[TOKENS * heads * HEAD_DIM];
        for (int head = 0; head < heads; head++) {
            double[][] mix = new double[HEAD_DIM][HEAD_DIM];
            double[] mean = new double[HEAD_DIM];
            for (int i = 0; i < HEAD_DIM; i++) {
                mean[i] = random.nextGaussian();
                for (int j = 0; j < HEAD_DIM; j++) {
                    mix[i][j] = random.nextGaussian() * Math.pow(0.75, j);
                }
            }
            for (int token = 0; token < TOKENS; token++) {
                double[] white = new double[HEAD_DIM];
                for (int j = 0; j < HEAD_DIM; j++) {
                    white[j] = random.nextGaussian();
                }
                for (int i = 0; i < HEAD_DIM; i++) {
                    double sum = mean[i];
                    for (int j = 0; j < HEAD_DIM; j++) {
                        sum += mix[i][j] * white[j];
                    }
                    result[(token * heads + head) * HEAD_DIM + i] = (float) sum;
                }
            }
        }
        return result;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 15, 16})
    void svdLosesTheSumOfTheOtherEigenvalues(int rank) {
        // Each vector is one axis of a rotated frame times a strength: the eigenvalues are the squares over their
        // number.
        DMatrixRMaj frame = CommonOps_DDRM.identity(HEAD_DIM);
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 200; i++) {
            rotate(frame, random.nextInt(HEAD_DIM), random.nextInt(HEAD_DIM), random.nextDouble(Math.PI));
        }
        float[] vectors = new float[HEAD_DIM * KV_HEADS * HEAD_DIM];
        double lost = 0;
        for (int axis = 0; axis < HEAD_DIM; axis++) {
            double strength = HEAD_DIM - axis;
            for (int head = 0; head < KV_HEADS; head++) {
                for (int i = 0; i < HEAD_DIM; i++) {
                    vectors[(axis * KV_HEADS + head) * HEAD_DIM + i] = (float) (strength * frame.get(axis, i));
                }
            }
            lost += axis < rank ? 0 : strength * strength / HEAD_DIM;
        }
        LayerStatistics layer = new LayerStatistics(0, spec(), Optional.empty());
        float[] queries = new float[HEAD_DIM * HEADS * HEAD_DIM];
        layer.add(new AttentionRows(
                0, spec(), 0, 0, HEAD_DIM, queries, vectors, vectors, queries, (row, kvHead) -> new int[0]));
        for (HalfShape.Side side : HalfShape.Side.values()) {
            FittedBasis basis = new SvdFitter().fit(layer, side, rank).heads().getFirst();
            Moments moments = layer.stored(side).getFirst();
            assertThat(basis.error(moments)).isCloseTo(lost, within(1e-4));
            assertThat(basis.energyKept(moments)).isCloseTo(1 - lost / moments.energy(), within(1e-6));
        }
    }

    private static void rotate(DMatrixRMaj frame, int a, int b, double angle) {
        if (a == b) {
            return;
        }
        for (int i = 0; i < frame.numCols; i++) {
            double x = frame.get(a, i);
            double y = frame.get(b, i);
            frame.set(a, i, Math.cos(angle) * x - Math.sin(angle) * y);
            frame.set(b, i, Math.sin(angle) * x + Math.cos(angle) * y);
        }
    }

    private static List<FittedBasis> fit(
            CalibrationMethod method, LayerStatistics layer, HalfShape.Side side, int rank) {
        return method.fitter().fit(layer, side, rank).heads();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8, 12})
    void methodsStandInTheOrderOfTheirFreedom(int rank) {
        LayerStatistics layer = random(0);
        for (HalfShape.Side side : HalfShape.Side.values()) {
            double svd = 0;
            double lora = 0;
            for (int head = 0; head < KV_HEADS; head++) {
                Moments stored = layer.stored(side).get(head);
                double own =
                        fit(CalibrationMethod.SVD, layer, side, rank).get(head).error(stored);
                double shared =
                        fit(CalibrationMethod.LORA, layer, side, rank).get(head).error(stored);
                double pruned = fit(CalibrationMethod.PRUNE, layer, side, rank)
                        .get(head)
                        .error(stored);
                assertThat(own).as("head %s", head).isLessThan(pruned);
                assertThat(own).as("head %s", head).isLessThanOrEqualTo(shared);
                svd += own;
                lora += shared;
            }
            assertThat(svd).isLessThan(lora);
        }
        for (int head = 0; head < KV_HEADS; head++) {
            HeadStatistics statistics = layer.heads().get(head);
            DMatrixRMaj met = statistics.queries().secondMoment();
            double weighted = fit(CalibrationMethod.LORA_PLUS_PLUS, layer, HalfShape.Side.KEYS, rank)
                    .get(head)
                    .error(statistics.keys(), met);
            for (CalibrationMethod other :
                    List.of(CalibrationMethod.LORA, CalibrationMethod.SVD, CalibrationMethod.PRUNE)) {
                assertThat(weighted)
                        .as("q·k, lora++ against %s, head %s", other.text(), head)
                        .isLessThan(fit(other, layer, HalfShape.Side.KEYS, rank)
                                .get(head)
                                .error(statistics.keys(), met));
            }
        }
    }

    /** The shared projection, once with its start alone and once improved: as good as if it had been found from anywhere. */
    @Test
    void loraIsAtAStationaryPoint() {
        LayerStatistics layer = random(0);
        List<Moments> keys = layer.stored(HalfShape.Side.KEYS);
        List<FittedBasis> found = fit(CalibrationMethod.LORA, layer, HalfShape.Side.KEYS, 4);
        assertThat(found.getFirst().down())
                .as("shared")
                .isSameAs(found.getLast().down());
        double error = found.getFirst().error(keys.getFirst()) + found.getLast().error(keys.getLast());
        SplittableRandom random = new SplittableRandom(11);
        for (int trial = 0; trial < 50; trial++) {
            DMatrixRMaj moved = found.getFirst().down().copy();
            for (int i = 0; i < moved.getNumElements(); i++) {
                moved.data[i] += 1e-2 * random.nextGaussian();
            }
            double other = 0;
            for (int head = 0; head < KV_HEADS; head++) {
                other += new FittedBasis(
                                moved, found.get(head).up(), found.get(head).bias())
                        .error(keys.get(head));
            }
            assertThat(other).isGreaterThan(error * (1 - 1e-4));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = CalibrationMethod.class,
            names = {"SVD", "LORA_PLUS_PLUS", "PRUNE"})
    void theFirstDirectionsAreTheBasisOfASmallerRank(CalibrationMethod method) {
        assertThat(method.nested()).isTrue();
        LayerStatistics layer = random(0);
        for (HalfShape.Side side : HalfShape.Side.values()) {
            for (int head = 0; head < KV_HEADS; head++) {
                FittedBasis large = fit(method, layer, side, 12).get(head);
                FittedBasis small = fit(method, layer, side, 5).get(head);
                FittedBasis cut = new FittedBasis(
                        CommonOps_DDRM.extract(large.down(), 0, 5, 0, HEAD_DIM),
                        CommonOps_DDRM.extract(large.up(), 0, HEAD_DIM, 0, 5),
                        large.bias());
                Moments stored = layer.stored(side).get(head);
                assertThat(cut.error(stored)).isCloseTo(small.error(stored), within(1e-9 * stored.energy()));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(CalibrationMethod.class)
    void aBasisOfFullRankLosesNothing(CalibrationMethod method) {
        LayerStatistics layer = random(64);
        for (HalfShape.Side side : HalfShape.Side.values()) {
            for (int head = 0; head < KV_HEADS; head++) {
                double kept = fit(method, layer, side, HEAD_DIM)
                        .get(head)
                        .energyKept(layer.stored(side).get(head));
                // Gradient descent holds on to what it has only to its own accuracy.
                assertThat(kept).isCloseTo(1, within(method == CalibrationMethod.DISTILL ? 0.05 : 1e-6));
            }
        }
    }

    @Test
    void pruningKeepsWhatQueriesAndKeysShare() {
        float[] keys = new float[4 * KV_HEADS * HEAD_DIM];
        float[] queries = new float[4 * HEADS * HEAD_DIM];
        for (int i = 0; i < keys.length; i++) {
            int channel = i % HEAD_DIM;
            keys[i] = channel == 3 ? 10 : channel == 5 ? 4 : 1;
        }
        for (int i = 0; i < queries.length; i++) {
            int channel = i % HEAD_DIM;
            queries[i] = channel == 3 ? 0.01f : channel == 7 ? 3 : 1;
        }
        LayerStatistics layer = new LayerStatistics(0, spec(), Optional.empty());
        layer.add(new AttentionRows(0, spec(), 0, 0, 4, queries, keys, keys, queries, (row, kvHead) -> new int[0]));
        FittedBasis ofKeys =
                fit(CalibrationMethod.PRUNE, layer, HalfShape.Side.KEYS, 2).getFirst();
        assertThat(ofKeys.down().get(0, 5)).as("4² · 1²").isEqualTo(1);
        assertThat(ofKeys.down().get(1, 7)).as("1² · 3²").isEqualTo(1);
        FittedBasis ofValues =
                fit(CalibrationMethod.PRUNE, layer, HalfShape.Side.VALUES, 2).getFirst();
        assertThat(ofValues.down().get(0, 3)).isEqualTo(1);
        assertThat(ofValues.down().get(1, 5)).isEqualTo(1);
    }

    @Test
    void distillationLowersWhatItMinimises() {
        LayerStatistics layer = random(256);
        BasisFitter.Fit keys = new DistillFitter().fit(layer, HalfShape.Side.KEYS, 4);
        Gain divergence = keys.gain().orElseThrow();
        assertThat(divergence.after()).isLessThan(0.95 * divergence.before()).isPositive();
        BasisFitter.Fit values = new DistillFitter().fit(layer, HalfShape.Side.VALUES, 4);
        Gain output = values.gain().orElseThrow();
        assertThat(output.after()).isLessThan(output.before());
        BasisFitter.Fit again = new DistillFitter().fit(layer, HalfShape.Side.KEYS, 4);
        assertThat(again.heads().getFirst().down().data)
                .as("equal runs, equal bases")
                .isEqualTo(keys.heads().getFirst().down().data);
    }

    @Test
    void aDeadHeadHarmsNobody() {
        LayerStatistics layer = new LayerStatistics(0, spec(), Optional.of(new AttentionSample(spec(), 64, 32)));
        float[] zeros = new float[64 * HEADS * HEAD_DIM];
        layer.add(new AttentionRows(0, spec(), 0, 0, 64, zeros, zeros, zeros, zeros, (row, kvHead) -> new int[0]));
        for (CalibrationMethod method : CalibrationMethod.values()) {
            for (HalfShape.Side side : HalfShape.Side.values()) {
                for (FittedBasis basis : fit(method, layer, side, 4)) {
                    assertThat(basis.energyKept(layer.stored(side).getFirst())).isEqualTo(1);
                    assertThat(basis.down().data).doesNotContain(Double.NaN);
                    assertThat(basis.up().data).doesNotContain(Double.NaN);
                }
            }
        }
    }
}
