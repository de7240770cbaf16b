package org.pikv4j.app;

import java.nio.file.Path;
import java.util.Optional;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.JsonText;
import org.pikv4j.plan.StepTime;

/** What {@code bench compression --out} has measured of a machine. */
final class MeasuredLatency {
    private static final int MOST_BYTES = 64 << 20;

    private MeasuredLatency() {}

    /**
     * @param file its JSON
     * @param fixedSeconds what a step takes whatever it reads
     * @return the machine
     * @throws InvalidOptionException if speed was not measured, or it is no such file
     */
    static StepTime.Machine read(Path file, double fixedSeconds) {
        try {
            Fields report = JsonText.object(file, MOST_BYTES);
            Optional<Fields> latency = report.object("latency");
            if (latency.isEmpty()) {
                throw new InvalidOptionException(
                        "latency " + file + ": speed was not measured; bench compression measures it with --lengths");
            }
            // A term that the fit has dropped is infinite, which JSON writes as text.
            return new StepTime.Machine(
                    rate(report, "read_bandwidth"),
                    fixedSeconds,
                    new StepTime.Attention(
                            rate(latency.get(), "bandwidth"),
                            rate(latency.get(), "decode_rate"),
                            latency.get().number("fixed_seconds").orElse(0)));
        } catch (ModelFormatException e) {
            throw new InvalidOptionException("latency " + e.getMessage());
        }
    }

    private static double rate(Fields fields, String name) {
        if (fields.isText(name)) {
            return Double.POSITIVE_INFINITY;
        }
        return fields.positiveNumber(name).orElseThrow(() -> fields.missing(name));
    }
}
