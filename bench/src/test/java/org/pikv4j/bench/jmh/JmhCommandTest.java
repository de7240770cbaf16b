package org.pikv4j.bench.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.pikv4j.bench.Program;

class JmhCommandTest {

    /** One call, in this JVM: what is measured does not matter here. */
    @Test
    void aResultOfJmhBecomesAScore() throws RunnerException {
        Options options = new OptionsBuilder()
                .include("NormaliseBenchmark")
                .param("backend", "vector")
                .param("rows", "1")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(1))
                .addProfiler(GCProfiler.class)
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true)
                .build();
        List<KernelScore> scores =
                new Runner(options).run().stream().map(KernelScore::of).toList();
        assertThat(scores).hasSize(1);
        assertThat(scores.getFirst().title()).isEqualTo("Normalise.normalise backend=vector rows=1");
        assertThat(scores.getFirst().callsPerSecond()).isPositive();
        assertThat(scores.getFirst().gigabytesPerSecond()).isPositive();
        assertThat(scores.getFirst().gigaflops()).isPositive();
    }

    @Test
    void whatJmhCannotDoEndsWithTwo() {
        Program pattern = Program.run("jmh", "NoSuchBenchmark");
        assertThat(pattern.exitCode()).isEqualTo(2);
        assertThat(pattern.err()).contains("NoSuchBenchmark");
        assertThat(pattern.out()).isEmpty();
        Program option = Program.run("jmh", "--", "--no-such-option");
        assertThat(option.exitCode()).isEqualTo(2);
        assertThat(option.err()).contains("no-such-option");
    }
}
