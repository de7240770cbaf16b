package org.pikv4j.loader.json;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.pikv4j.error.ModelFormatException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The fields of a JSON object in a model's file, read with the type and range they must have. A field that is
 * {@code null} counts as absent, except to {@link #mentions}. Every error names the file and the field.
 */
public final class Fields {
    private final Path file;
    private final ObjectNode object;
    private final String prefix;

    Fields(Path file, ObjectNode object) {
        this(file, object, "");
    }

    /**
     * @param file the file, for messages
     * @param object an object in it
     * @param prefix what names the object in messages, with a dot at the end; empty for the outermost
     */
    public Fields(Path file, ObjectNode object, String prefix) {
        this.file = file;
        this.object = object;
        this.prefix = prefix;
    }

    /**
     * @param name a field
     * @return whether it is there, be it as {@code null}
     */
    public boolean mentions(String name) {
        return object.has(name);
    }

    /**
     * @param name a field
     * @return whether it is there and not {@code null}
     */
    public boolean has(String name) {
        return object.hasNonNull(name);
    }

    /**
     * @param name a field
     * @return whether it is a list
     */
    public boolean isList(String name) {
        return object.path(name).isArray();
    }

    /**
     * @param name a field
     * @return whether it is text
     */
    public boolean isText(String name) {
        return object.path(name).isString();
    }

    /**
     * @param name a field
     * @return whether it is an object
     */
    public boolean isObject(String name) {
        return object.path(name).isObject();
    }

    /**
     * @param name a field that must be there
     * @return its value, at least 1
     */
    public int positive(String name) {
        return optionalPositive(name).orElseThrow(() -> missing(name));
    }

    /**
     * @param name a field
     * @param otherwise the value where it is absent
     * @return its value, at least 1
     */
    public int positive(String name, int otherwise) {
        return optionalPositive(name).orElse(otherwise);
    }

    /**
     * @param name a field
     * @return its value, at least 1
     */
    public OptionalInt optionalPositive(String name) {
        return integer(name, 1, "a positive integer");
    }

    /**
     * @param name a field
     * @return its value, at least {@code least} and at most 2^31 - 1
     */
    public OptionalInt atLeast(String name, int least) {
        return integer(name, least, "an integer of at least " + least);
    }

    /**
     * @param name a field
     * @return its value, a finite number
     */
    public OptionalDouble number(String name) {
        JsonNode node = node(name);
        if (node == null) {
            return OptionalDouble.empty();
        }
        if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
            throw unexpected(name, node, "a finite number");
        }
        return OptionalDouble.of(node.doubleValue());
    }

    /**
     * @param name a field
     * @return its value, a finite number above 0
     */
    public OptionalDouble positiveNumber(String name) {
        OptionalDouble value = number(name);
        if (value.isPresent() && value.getAsDouble() <= 0) {
            throw error(name, "is " + value.getAsDouble() + ", expected a number above 0");
        }
        return value;
    }

    /**
     * @param name a field
     * @param otherwise the value where it is absent
     * @return its value
     */
    public boolean flag(String name, boolean otherwise) {
        JsonNode node = node(name);
        if (node == null) {
            return otherwise;
        }
        if (!node.isBoolean()) {
            throw unexpected(name, node, "true or false");
        }
        return node.booleanValue();
    }

    /**
     * @param name a field
     * @return its value
     */
    public Optional<String> string(String name) {
        return Optional.ofNullable(node(name)).map(node -> asString(name, node));
    }

    /**
     * @param name a field with a string or a list of strings
     * @return the strings; empty where it is absent
     */
    public List<String> strings(String name) {
        return list(name, node -> asString(name, node));
    }

    /**
     * @param name a field with a non-negative integer or a list of them
     * @return the integers; empty where it is absent
     */
    public List<Integer> indices(String name) {
        return list(name, node -> asInt(name, node, 0, "an integer of at least 0"));
    }

    /**
     * @param name a field with an object
     * @return that object's fields
     */
    public Optional<Fields> object(String name) {
        JsonNode node = node(name);
        if (node == null) {
            return Optional.empty();
        }
        if (node instanceof ObjectNode inner) {
            return Optional.of(new Fields(file, inner, prefix + name + "."));
        }
        throw unexpected(name, node, "an object");
    }

    /**
     * @param name a field with a list of objects
     * @return the objects' fields; empty where it is absent
     */
    public List<Fields> objects(String name) {
        JsonNode node = node(name);
        if (node == null) {
            return List.of();
        }
        if (!node.isArray()) {
            throw unexpected(name, node, "a list of objects");
        }
        List<Fields> objects = new ArrayList<>();
        for (JsonNode inner : node) {
            String element = name + "[" + objects.size() + "]";
            if (!(inner instanceof ObjectNode object)) {
                throw unexpected(element, inner, "an object");
            }
            objects.add(new Fields(file, object, prefix + element + "."));
        }
        return objects;
    }

    /**
     * @return the names of all fields
     */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            names.add(field.getKey());
        }
        return names;
    }

    /**
     * @param name a field
     * @param detail what is wrong with it
     * @return the error to throw
     */
    public ModelFormatException error(String name, String detail) {
        return new ModelFormatException(file, Lines.quote(prefix + name) + " " + detail);
    }

    /**
     * @param name a field that must be there
     * @return the error to throw where it is not
     */
    public ModelFormatException missing(String name) {
        return error(name, "is missing");
    }

    private OptionalInt integer(String name, int least, String expected) {
        JsonNode node = node(name);
        return node == null ? OptionalInt.empty() : OptionalInt.of(asInt(name, node, least, expected));
    }

    private <T> List<T> list(String name, Function<JsonNode, T> element) {
        JsonNode node = node(name);
        if (node == null) {
            return List.of();
        }
        if (!node.isArray()) {
            return List.of(element.apply(node));
        }
        List<T> values = new ArrayList<>();
        for (JsonNode inner : node) {
            values.add(element.apply(inner));
        }
        return values;
    }

    private int asInt(String name, JsonNode node, int least, String expected) {
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < least) {
            throw unexpected(name, node, expected);
        }
        return node.intValue();
    }

    private String asString(String name, JsonNode node) {
        if (!node.isString()) {
            throw unexpected(name, node, "a string");
        }
        return node.stringValue();
    }

    private @Nullable JsonNode node(String name) {
        JsonNode node = object.get(name);
        return node == null || node.isNull() ? null : node;
    }

    private ModelFormatException unexpected(String name, JsonNode node, String expected) {
        return error(name, "is " + Lines.quote(node.toString()) + ", expected " + expected);
    }
}
