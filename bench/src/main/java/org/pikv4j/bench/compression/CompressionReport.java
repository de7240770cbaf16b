package org.pikv4j.bench.compression;

import java.util.List;
import java.util.Optional;
import org.pikv4j.bench.Machine;
import org.pikv4j.bench.recall.RecallScore;

/**
 * What was measured of each form.
 *
 * @param machine where
 * @param backend what computed
 * @param model the model's directory, or what the demo model is called
 * @param textTokens tokens of the text
 * @param pageTokens tokens per page
 * @param outliers factor of the outlier channels of {@link OutlierForms}; 1 for none
 * @param residual newest tokens that stay exact where the whole model runs (KL, recall)
 * @param bf16BytesPerToken what bf16 takes
 * @param rows one per form
 * @param readBandwidth the machine's, bytes per second; 0 where speed was not measured
 * @param latency fitted to the attend times; none where speed was not measured
 */
record CompressionReport(
        Machine machine,
        String backend,
        String model,
        int textTokens,
        int pageTokens,
        float outliers,
        int residual,
        double bf16BytesPerToken,
        List<Row> rows,
        double readBandwidth,
        Optional<LatencyModel> latency) {

    /** The form that others are compared with. */
    static final String BASELINE = "bf16";

    /**
     * @param form as options spell it
     * @param errors on the text's keys and values
     * @param divergence mean KL of the next-token distribution from the exact one, in nats
     * @param agreement share of equal most likely tokens
     * @param recall scores on evaluation sets
     * @param attend times of one query in one layer, one per length
     * @param decoded the same where each page is decoded before it is multiplied
     * @param front whether no other form has both fewer bytes and a smaller output error
     */
    record Row(
            String form,
            FormErrors errors,
            double divergence,
            double agreement,
            List<RecallScore> recall,
            List<LatencyModel.Sample> attend,
            List<LatencyModel.Sample> decoded,
            boolean front) {

        Row onFront(boolean is) {
            return new Row(form, errors, divergence, agreement, recall, attend, decoded, is);
        }

        boolean dominatedBy(Row other) {
            FormErrors a = errors;
            FormErrors b = other.errors;
            return b.bytesPerToken() <= a.bytesPerToken()
                    && b.output() <= a.output()
                    && (b.bytesPerToken() < a.bytesPerToken() || b.output() < a.output());
        }
    }

    /** What times are compared with: bf16, or the first form where that is not among them. */
    Row baseline() {
        return rows.stream()
                .filter(row -> row.form().equals(BASELINE))
                .findFirst()
                .orElse(rows.getFirst());
    }

    static List<Row> withFront(List<Row> rows) {
        return rows.stream()
                .map(row -> row.onFront(rows.stream().noneMatch(row::dominatedBy)))
                .toList();
    }
}
