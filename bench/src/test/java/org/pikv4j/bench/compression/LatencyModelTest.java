package org.pikv4j.bench.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.pikv4j.bench.compression.LatencyModel.Sample;

class LatencyModelTest {

    private static List<Sample> samples(double bandwidth, double rate, double fixed) {
        List<Sample> samples = new ArrayList<>();
        for (int tokens : new int[] {1000, 4000, 16000}) {
            for (double bytesPerElement : new double[] {2, 1.06, 0.56, 0.28}) {
                double elements = 512.0 * tokens;
                double bytes = elements * bytesPerElement;
                samples.add(new Sample(tokens, bytes, elements, bytes / bandwidth + elements / rate + fixed));
            }
        }
        return samples;
    }

    @Test
    void findsTheTermsThatTimesAreMadeOf() {
        LatencyModel model = LatencyModel.fit(samples(2e10, 5e9, 3e-6));
        assertThat(model.bandwidth()).isCloseTo(2e10, within(2e6));
        assertThat(model.decodeRate()).isCloseTo(5e9, within(1e6));
        assertThat(model.fixedSeconds()).isCloseTo(3e-6, within(1e-9));
        assertThat(model.relativeError()).isLessThan(1e-6);
    }

    @Test
    void noTermIsNegative() {
        // Fewer bytes take longer: no bandwidth can say that.
        List<Sample> samples = new ArrayList<>();
        for (double bytes : new double[] {4e6, 2e6, 1e6}) {
            samples.add(new Sample(1000, bytes, 2e6, 1e-3 + (4e6 - bytes) * 1e-10));
        }
        LatencyModel model = LatencyModel.fit(samples);
        assertThat(model.bandwidth()).isEqualTo(Double.POSITIVE_INFINITY);
        assertThat(model.seconds(1e6, 2e6)).isCloseTo(1.15e-3, within(2e-4));
    }
}
