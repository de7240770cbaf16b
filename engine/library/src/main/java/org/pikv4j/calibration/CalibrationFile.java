package org.pikv4j.calibration;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.safetensors.ElementType;
import org.pikv4j.loader.safetensors.RawTensor;
import org.pikv4j.loader.safetensors.SafetensorsFile;
import org.pikv4j.loader.safetensors.SafetensorsWriter;
import org.pikv4j.loader.safetensors.TensorDeclaration;

/**
 * A calibration as a safetensors file, all of it float32:
 *
 * <pre>
 *   METHOD.layers.N.keys.down     (kvHeads, rank, headDim)   D
 *   METHOD.layers.N.keys.up       (kvHeads, headDim, rank)   U
 *   METHOD.layers.N.keys.bias     (kvHeads, headDim)         b
 *   METHOD.layers.N.keys.energy   (kvHeads)                  share of the energy kept
 *   METHOD.layers.N.values.…                                 the same
 *   streaming.layers.N.error      (kvHeads)                  what heads lose that see the first tokens and the newest alone
 *
 *   metadata: format      pikv4j-calibration
 *             version     1
 *             methods     of which there are tensors: svd,lora++; may be empty
 *             layers      of the model
 *             model       in words
 *             fingerprint of the model, SHA-256
 * </pre>
 */
final class CalibrationFile {
    private static final String FORMAT = "pikv4j-calibration";
    private static final String VERSION = "1";
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private CalibrationFile() {}

    static void write(Calibration calibration, Path file) throws IOException {
        List<TensorDeclaration> tensors = new ArrayList<>();
        List<float[]> contents = new ArrayList<>();
        calibration.bases().forEach((place, bases) -> {
            int heads = bases.heads().size();
            for (Part part : Part.values()) {
                tensors.add(new TensorDeclaration(part.name(place), ElementType.F32, part.shape(heads, bases)));
                bases.heads().forEach(head -> contents.add(part.of(head)));
            }
        });
        for (int layer = 0; layer < calibration.streamingErrors().size(); layer++) {
            float[] errors = calibration.streamingErrors().get(layer);
            tensors.add(new TensorDeclaration(streaming(layer), ElementType.F32, List.of((long) errors.length)));
            contents.add(errors);
        }
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, tensors, metadata(calibration))) {
            for (float[] content : contents) {
                writer.write(content, 0, content.length);
            }
            writer.finish();
        }
    }

    private static String streaming(int layer) {
        return "streaming.layers." + layer + ".error";
    }

    private static Map<String, String> metadata(Calibration calibration) {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("format", FORMAT);
        metadata.put("version", VERSION);
        metadata.put(
                "methods",
                calibration.bases().keySet().stream()
                        .map(place -> place.method().text())
                        .distinct()
                        .collect(Collectors.joining(",")));
        metadata.put(
                "layers",
                Long.toString(Math.max(
                        calibration.streamingErrors().size(),
                        calibration.bases().keySet().stream()
                                .mapToInt(Calibration.Place::layer)
                                .distinct()
                                .count())));
        metadata.put("model", calibration.description());
        metadata.put("fingerprint", calibration.fingerprint());
        return metadata;
    }

    /** Everything is read and checked here: the file may change, or go, afterwards. */
    static Calibration read(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile opened = SafetensorsFile.map(file, arena);
            Map<String, String> metadata = opened.metadata();
            if (!FORMAT.equals(metadata.get("format"))) {
                throw new ModelFormatException(file, "is no calibration: make one with the command calibrate");
            }
            String version = require(file, metadata, "version");
            if (!version.equals(VERSION)) {
                throw new ModelFormatException(
                        file, "is a calibration of version " + version + "; this program reads " + VERSION);
            }
            int layers = layers(file, require(file, metadata, "layers"));
            Map<Calibration.Place, LayerBases> bases = new TreeMap<>();
            String methods = require(file, metadata, "methods");
            for (String text : methods.isEmpty() ? new String[0] : methods.split(",", -1)) {
                CalibrationMethod method = method(file, text);
                for (int layer = 0; layer < layers; layer++) {
                    for (HalfShape.Side side : HalfShape.Side.values()) {
                        Calibration.Place place = new Calibration.Place(method, layer, side);
                        bases.put(place, bases(opened, place));
                    }
                }
            }
            return new Calibration(
                    file.toString(),
                    require(file, metadata, "fingerprint"),
                    require(file, metadata, "model"),
                    bases,
                    streamingErrors(opened, layers));
        }
    }

    /** Of all layers, or none: files of older versions of this program have none. */
    private static List<float[]> streamingErrors(SafetensorsFile file, int layers) {
        if (file.find(streaming(0)).isEmpty()) {
            return List.of();
        }
        List<float[]> errors = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            RawTensor tensor = file.require(streaming(layer));
            if (tensor.shape().size() != 1 || tensor.shape().getFirst() < 1) {
                throw tensor.error("has the shape " + tensor.shape() + ", expected (kvHeads)");
            }
            errors.add(floats(tensor, tensor.shape()));
        }
        return errors;
    }

    private static String require(Path file, Map<String, String> metadata, String key) {
        String value = metadata.get(key);
        if (value == null) {
            throw new ModelFormatException(file, "__metadata__." + key + " is missing");
        }
        return value;
    }

    private static int layers(Path file, String text) {
        if (!text.matches("[1-9]\\d{0,5}")) {
            throw new ModelFormatException(file, "__metadata__.layers is no number of layers");
        }
        return Integer.parseInt(text);
    }

    private static CalibrationMethod method(Path file, String text) {
        try {
            return CalibrationMethod.named(text);
        } catch (InvalidOptionException e) {
            throw new ModelFormatException(file, "__metadata__.methods: " + e.getMessage(), e);
        }
    }

    private static LayerBases bases(SafetensorsFile file, Calibration.Place place) {
        RawTensor down = file.require(Part.DOWN.name(place));
        List<Long> shape = down.shape();
        if (shape.size() != 3
                || shape.stream().anyMatch(dim -> dim < 1 || dim > 1 << 16)
                || shape.get(1) > shape.get(2)) {
            throw down.error("has the shape " + shape + ", expected (kvHeads, rank, headDim)");
        }
        int heads = Math.toIntExact(shape.get(0));
        int rank = Math.toIntExact(shape.get(1));
        int headDim = Math.toIntExact(shape.get(2));
        LayerBases empty = new LayerBases(rank, headDim, List.of());
        Map<Part, float[]> all = new TreeMap<>();
        for (Part part : Part.values()) {
            all.put(part, floats(file.require(part.name(place)), part.shape(heads, empty)));
        }
        List<LayerBases.Head> read = new ArrayList<>();
        for (int head = 0; head < heads; head++) {
            read.add(new LayerBases.Head(
                    slice(all, Part.DOWN, head, heads),
                    slice(all, Part.UP, head, heads),
                    slice(all, Part.BIAS, head, heads),
                    slice(all, Part.ENERGY, head, heads)[0]));
        }
        return new LayerBases(rank, headDim, read);
    }

    private static float[] slice(Map<Part, float[]> all, Part part, int head, int heads) {
        float[] values = all.getOrDefault(part, new float[0]);
        int each = values.length / heads;
        return Arrays.copyOfRange(values, head * each, (head + 1) * each);
    }

    private static float[] floats(RawTensor tensor, List<Long> shape) {
        if (tensor.type() != ElementType.F32 || !tensor.shape().equals(shape)) {
            throw tensor.error("is " + tensor.type() + " " + tensor.shape() + ", expected F32 " + shape);
        }
        float[] values = tensor.data().toArray(FLOAT);
        for (float value : values) {
            if (!Float.isFinite(value)) {
                throw tensor.error("holds a number that is not finite");
            }
        }
        return values;
    }

    /** What is kept of a basis. */
    private enum Part {
        DOWN,
        UP,
        BIAS,
        ENERGY;

        String name(Calibration.Place place) {
            return String.join(
                    ".",
                    place.method().text(),
                    "layers",
                    Integer.toString(place.layer()),
                    place.side().name().toLowerCase(Locale.ROOT),
                    name().toLowerCase(Locale.ROOT));
        }

        List<Long> shape(long heads, LayerBases bases) {
            long rank = bases.rank();
            long headDim = bases.headDim();
            return switch (this) {
                case DOWN -> List.of(heads, rank, headDim);
                case UP -> List.of(heads, headDim, rank);
                case BIAS -> List.of(heads, headDim);
                case ENERGY -> List.of(heads);
            };
        }

        float[] of(LayerBases.Head head) {
            return switch (this) {
                case DOWN -> head.down();
                case UP -> head.up();
                case BIAS -> head.bias();
                case ENERGY -> new float[] {head.energyKept()};
            };
        }
    }
}
