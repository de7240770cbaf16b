package org.pikv4j.loader.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.Lines;
import org.pikv4j.plan.ModelShape;

/**
 * A model's shape from {@code config.json} alone, also of models that cannot be run: known families with weights or positions
 * of another kind, and others by the names of fields that most files share.
 */
public final class ShapeReader {
    private ShapeReader() {}

    /**
     * @param model a model's directory, or a {@code config.json} by whatever name
     * @return the shape
     * @throws ModelFormatException naming the field that is missing or absurd
     */
    public static ModelShape read(Path model) {
        Path file = Files.isDirectory(model) ? model.resolve(HuggingFaceConfig.FILE) : model;
        Fields outer = HuggingFaceConfig.fields(file);
        // Models that also see have their language model's fields in an object of their own.
        Fields fields = outer.has("num_hidden_layers")
                ? outer
                : outer.object("text_config").orElse(outer);
        try {
            ModelShape shape = shape(file, fields);
            Optional<Fields> quantization =
                    outer.object("quantization_config").or(() -> fields.object("quantization_config"));
            return quantization
                    .map(how -> shape.quantized(
                            how.string("quant_method").map(Lines::quote).orElse("unnamed")))
                    .orElse(shape);
        } catch (ArithmeticException e) {
            throw new ModelFormatException(file, "describes more parameters than can be counted", e);
        }
    }

    private static ModelShape shape(Path file, Fields fields) {
        String type = fields.string("model_type").orElseThrow(() -> fields.missing("model_type"));
        List<String> remarks = new ArrayList<>();
        Optional<String> obstacle = Optional.empty();
        Parts parts;
        try {
            parts = Parts.of(HuggingFaceConfig.of(fields));
        } catch (ModelFormatException e) {
            obstacle = Optional.of(detail(file, e));
            parts = partsOfOther(fields, type, remarks);
        }
        if (fields.atLeast("num_nextn_predict_layers", 0).orElse(0) > 0) {
            remarks.add("layers that only predict further tokens (num_nextn_predict_layers) are not counted");
        }
        ModelShape shape = new ModelShape(
                Lines.quote(type),
                parts.hidden(),
                parts.vocabulary(),
                parts.maxPositions(),
                parts.tiedEmbeddings(),
                elementBytes(fields),
                parts.layers(),
                Optional.empty(),
                obstacle,
                remarks);
        // Whoever plans with it may count on being able to count.
        Math.multiplyExact(shape.parameters().total(), shape.elementBytes());
        return shape;
    }

    private static Parts partsOfOther(Fields fields, String type, List<String> remarks) {
        Optional<Family> family = Family.of(type);
        if (family.isPresent()) {
            return Parts.of(HuggingFaceConfig.shape(family.get(), fields));
        }
        if (!CustomaryFields.KNOWN.contains(type)) {
            remarks.add(Lines.quote(type) + " is not known: its fields are taken for what they usually mean");
        }
        return new CustomaryFields(fields, type).read();
    }

    /** What an error says, without the file's name. */
    private static String detail(Path file, ModelFormatException e) {
        String message = String.valueOf(e.getMessage());
        String prefix = file + ": ";
        return message.startsWith(prefix) ? message.substring(prefix.length()) : message;
    }

    private static int elementBytes(Fields fields) {
        String type =
                fields.string("torch_dtype").or(() -> fields.string("dtype")).orElse("bfloat16");
        return type.equals("float32") ? Float.BYTES : Short.BYTES;
    }
}
