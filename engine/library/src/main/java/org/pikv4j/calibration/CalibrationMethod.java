package org.pikv4j.calibration;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.pikv4j.error.InvalidOptionException;

/** How bases of a low rank are fitted to a model. */
public enum CalibrationMethod {
    /** The directions of the most energy, per layer and head. */
    SVD("svd", true),
    /** One down-projection for all KV heads of a layer, an up-projection per head. */
    LORA("lora", false),
    /** Centred, and for keys weighted by the queries. */
    LORA_PLUS_PLUS("lora++", true),
    /** Channels are kept or dropped. */
    PRUNE("prune", true),
    /** Fitted to attention weights and outputs. */
    DISTILL("distill", false);

    private final String text;
    private final boolean nested;

    CalibrationMethod(String text, boolean nested) {
        this.text = text;
        this.nested = nested;
    }

    /**
     * @param text a method as options spell it
     * @return the method
     * @throws InvalidOptionException if there is none of that name
     */
    public static CalibrationMethod named(String text) {
        return Arrays.stream(values())
                .filter(method -> method.text.equals(text))
                .findFirst()
                .orElseThrow(() -> new InvalidOptionException("'" + text + "' is no method of calibration; there are "
                        + Arrays.stream(values()).map(CalibrationMethod::text).collect(Collectors.joining(", "))));
    }

    /**
     * @return as options spell it
     */
    public String text() {
        return text;
    }

    /**
     * @return whether the first directions of a basis are the basis of a smaller rank
     */
    public boolean nested() {
        return nested;
    }

    BasisFitter fitter() {
        return switch (this) {
            case SVD -> new SvdFitter();
            case LORA -> new SharedDownFitter();
            case LORA_PLUS_PLUS -> new QueryWeightedFitter();
            case PRUNE -> new PruneFitter();
            case DISTILL -> new DistillFitter();
        };
    }
}
