package org.pikv4j.loader.config;

import java.util.Optional;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.Lines;
import org.pikv4j.model.RopeSpec;

/**
 * The rotary embedding, in either dialect: {@code rope_theta} at the top with an optional {@code rope_scaling}, or
 * {@code rope_parameters} with everything. Kinds that scale the frequencies are refused by name.
 */
final class RopeFields {
    private RopeFields() {}

    /**
     * @param fields the configuration
     * @param defaultTheta the family's base of the frequencies
     * @param headDim width of a head, all of which is rotated
     * @return the rotary embedding
     */
    static RopeSpec read(Fields fields, double defaultTheta, int headDim) {
        double theta = fields.positiveNumber("rope_theta").orElse(defaultTheta);
        checkUnscaled(fields);
        Optional<Fields> scaling = fields.object("rope_scaling");
        Optional<Fields> parameters = fields.object("rope_parameters");
        scaling.ifPresent(RopeFields::checkUnscaled);
        if (parameters.isPresent()) {
            checkUnscaled(parameters.get());
            theta = parameters.get().positiveNumber("rope_theta").orElse(theta);
        }
        if (scaling.isPresent()) {
            theta = scaling.get().positiveNumber("rope_theta").orElse(theta);
        }
        return new RopeSpec(theta, headDim);
    }

    private static void checkUnscaled(Fields rope) {
        for (String nested : new String[] {"full_attention", "sliding_attention"}) {
            if (rope.has(nested)) {
                throw rope.error(nested, "gives a layer type its own rotary embedding, which is not supported");
            }
        }
        for (String kind : new String[] {"rope_type", "type"}) {
            String type = rope.string(kind).orElse("default");
            if (!type.equals("default")) {
                throw rope.error(kind, "is " + Lines.quote(type) + "; only default is supported");
            }
        }
        double rotated = rope.number("partial_rotary_factor").orElse(1);
        if (rotated != 1) {
            throw rope.error("partial_rotary_factor", "is " + rotated + "; only 1 is supported");
        }
    }
}
