package org.pikv4j.bench.jmh;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/**
 * How one kernel did with one choice of parameters.
 *
 * @param benchmark class and method
 * @param parameters by name
 * @param callsPerSecond of the operation
 * @param gigabytesPerSecond bytes of weights or pages
 * @param gigaflops 10^9 multiplications and additions per second
 * @param bytesAllocatedPerCall on the Java heap; a call makes a few small objects, a boxed vector makes thousands
 */
record KernelScore(
        String benchmark,
        Map<String, String> parameters,
        double callsPerSecond,
        double gigabytesPerSecond,
        double gigaflops,
        double bytesAllocatedPerCall) {

    static KernelScore of(RunResult result) {
        BenchmarkParams params = result.getParams();
        String name = params.getBenchmark();
        Map<String, String> parameters = new TreeMap<>();
        params.getParamsKeys().forEach(key -> parameters.put(key, params.getParam(key)));
        return new KernelScore(
                name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1),
                parameters,
                result.getPrimaryResult().getScore(),
                secondary(result, "gigabytes"),
                secondary(result, "gigaflops"),
                secondary(result, "gc.alloc.rate.norm"));
    }

    private static double secondary(RunResult result, String name) {
        Result<?> found = result.getSecondaryResults().get(name);
        return found == null ? 0 : found.getScore();
    }

    /** One line for people: the benchmark and its parameters. */
    String title() {
        String of = parameters.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(" "));
        return benchmark.replace("Benchmark.", ".") + " " + of;
    }
}
