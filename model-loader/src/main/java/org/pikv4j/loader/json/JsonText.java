package org.pikv4j.loader.json;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.pikv4j.error.ModelFormatException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * JSON from a model's files, read strictly: UTF-8 only, no key twice, nothing after the end, bounded depth and size.
 * {@code NaN} and {@code Infinity} are let through, because Python writes them; who reads a field checks it.
 */
public final class JsonText {
    /** Nesting that no model file comes near. */
    private static final int MAX_DEPTH = 100;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNumberLength(400)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            // Tensor names come once each: a table of them would only be kept, and can be made to collide.
            .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
            .build();

    private static final JsonMapper MAPPER = JsonMapper.builder(FACTORY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** For values in the middle of a file. */
    private static final ObjectReader VALUES = MAPPER.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private JsonText() {}

    /**
     * Reads a file that holds one JSON object.
     *
     * @param file the file
     * @param maxBytes the size beyond which it is refused
     * @return its fields
     * @throws ModelFormatException if it is missing, too large, or no JSON object in UTF-8
     */
    public static Fields object(Path file, int maxBytes) {
        String text = text(file, maxBytes);
        try {
            JsonNode tree = MAPPER.readTree(text);
            if (tree instanceof ObjectNode object) {
                return new Fields(file, object);
            }
        } catch (JacksonException e) {
            throw malformed(file, "not valid JSON", e);
        }
        throw new ModelFormatException(file, "not a JSON object");
    }

    /**
     * @param file a file
     * @param maxBytes the size beyond which it is refused
     * @return its text
     * @throws ModelFormatException if it is missing, too large, or not UTF-8
     */
    public static String text(Path file, int maxBytes) {
        return decode(file, bytes(file, maxBytes));
    }

    /**
     * @param parser a parser at the start of a value
     * @return that value
     */
    public static JsonNode tree(JsonParser parser) {
        return VALUES.readTree(parser);
    }

    /**
     * @return an object without fields, to collect those that are wanted of a large file
     */
    public static ObjectNode emptyObject() {
        return MAPPER.createObjectNode();
    }

    /**
     * @param text JSON
     * @return a parser of it, as strict as this class says
     */
    public static JsonParser parser(String text) {
        return FACTORY.createParser(ObjectReadContext.empty(), text);
    }

    /**
     * @param file where the bytes come from, for the message
     * @param bytes text in UTF-8
     * @return the text
     * @throws ModelFormatException if the bytes are not UTF-8
     */
    public static String decode(Path file, byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new ModelFormatException(file, "not valid UTF-8", e);
        }
    }

    /**
     * @param file the file at fault
     * @param what what it should have been
     * @param e what the parser says
     * @return an error of one line with the place of the fault
     */
    public static ModelFormatException malformed(Path file, String what, JacksonException e) {
        String place = e.getLocation() == null
                ? ""
                : " (line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr() + ")";
        String message = e.getOriginalMessage() == null ? "" : ": " + Lines.quote(e.getOriginalMessage());
        return new ModelFormatException(file, what + message + place, e);
    }

    /**
     * @param file the file at fault
     * @param e what the system says
     * @return an error of one line
     */
    public static ModelFormatException unreadable(Path file, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new ModelFormatException(file, "no such file", e);
        }
        if (e instanceof AccessDeniedException) {
            return new ModelFormatException(file, "cannot be read: permission denied", e);
        }
        return new ModelFormatException(file, "cannot be read: " + Lines.quote(String.valueOf(e.getMessage())), e);
    }

    private static byte[] bytes(Path file, int maxBytes) {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new ModelFormatException(file, "not a regular file");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(maxBytes);
            if (in.read() != -1) {
                throw new ModelFormatException(file, "larger than " + maxBytes + " bytes");
            }
            return bytes;
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }
}
