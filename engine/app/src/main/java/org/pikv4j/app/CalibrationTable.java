package org.pikv4j.app;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.pikv4j.calibration.CalibrationMethod;
import org.pikv4j.calibration.CalibrationReport;
import org.pikv4j.calibration.Gain;

/**
 * A calibration's summary for people.
 *
 * @param report what came of it
 */
record CalibrationTable(CalibrationReport report) {

    /** Several lines. */
    String text() {
        StringBuilder text = new StringBuilder();
        heads(text);
        if (report.layers().isEmpty()) {
            return text.toString();
        }
        text.append(String.format(Locale.ROOT, "%nenergy kept of keys and values, on %,d tokens%n", report.tokens()));
        text.append("method    layer      rank      keys    values\n");
        CalibrationMethod method = null;
        for (CalibrationReport.Layer layer : report.layers()) {
            boolean first = layer.method() != method;
            method = layer.method();
            text.append(String.format(
                    Locale.ROOT,
                    "%-9s %5d %9s %9s %9s%s%n",
                    first ? method.text() : "",
                    layer.layer(),
                    layer.rank() + "/" + layer.headDim(),
                    percent(layer.keys()),
                    percent(layer.values()),
                    gains(layer)));
        }
        report.layers().stream()
                .map(CalibrationReport.Layer::method)
                .distinct()
                .forEach(each -> text.append(mean(each)));
        if (report.layers().stream().anyMatch(layer -> layer.keys() < 0 || layer.values() < 0)) {
            text.append(
                    "-: further off than zeros are; fitted to what attention makes of keys and values, not to their energy\n");
        }
        return text.toString();
    }

    private void heads(StringBuilder text) {
        text.append("what heads lose that see the first tokens and the newest alone, error of the output squared\n");
        text.append("layer      by KV head\n");
        float[][] errors = report.calibration().streamingError();
        for (int layer = 0; layer < errors.length; layer++) {
            text.append(String.format(Locale.ROOT, "%5d ", layer));
            for (float error : errors[layer]) {
                text.append(String.format(Locale.ROOT, " %6.1f%%", 100 * error));
            }
            text.append(System.lineSeparator());
        }
    }

    private String mean(CalibrationMethod method) {
        List<CalibrationReport.Layer> layers = report.layers().stream()
                .filter(layer -> layer.method() == method)
                .toList();
        return String.format(
                Locale.ROOT,
                "%-9s %5s %9s %9s %9s%n",
                method.text(),
                "mean",
                "",
                percent(mean(layers, CalibrationReport.Layer::keys)),
                percent(mean(layers, CalibrationReport.Layer::values)));
    }

    private static double mean(List<CalibrationReport.Layer> layers, ToDoubleFunction<CalibrationReport.Layer> of) {
        return layers.stream()
                .mapToDouble(of)
                .map(share -> share < 0 ? Double.NaN : share)
                .average()
                .orElse(0);
    }

    /** Bases may be further off than zeros are, where what they keep is not what they were fitted to. */
    private static String percent(double share) {
        return share >= 0 ? String.format(Locale.ROOT, "%.2f%%", 100 * share) : "-";
    }

    private static String gains(CalibrationReport.Layer layer) {
        return gain("KL of weights", layer.divergence()) + gain("error of outputs", layer.outputError());
    }

    private static String gain(String what, Optional<Gain> gain) {
        return gain.map(g -> String.format(Locale.ROOT, "  %s %.4f, was %.4f", what, g.after(), g.before()))
                .orElse("");
    }
}
