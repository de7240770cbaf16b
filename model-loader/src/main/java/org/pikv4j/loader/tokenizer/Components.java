package org.pikv4j.loader.tokenizer;

import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.List;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.Lines;
import org.pikv4j.loader.tokenizer.PreTokenizer.PrependScheme;

/** The parts of a tokenizer from their JSON objects. Each has a {@code type}; an unknown one is refused by name. */
final class Components {
    private Components() {}

    static AddedToken addedToken(Fields fields) {
        boolean special = fields.flag("special", false);
        return new AddedToken(
                string(fields, "content"),
                fields.flag("single_word", false),
                fields.flag("lstrip", false),
                fields.flag("rstrip", false),
                fields.flag("normalized", !special),
                special);
    }

    static Normalizer normalizer(Fields fields) {
        String type = string(fields, "type");
        return switch (type) {
            case "NFC", "NFD", "NFKC", "NFKD" -> new Normalizer.Unicode(Form.valueOf(type));
            case "Lowercase" -> new Normalizer.Lowercase();
            case "Strip" -> new Normalizer.Strip(fields.flag("strip_left", true), fields.flag("strip_right", true));
            case "StripAccents" -> new Normalizer.StripAccents();
            case "Prepend" -> new Normalizer.Prepend(string(fields, "prepend"));
            case "Replace" -> new Normalizer.Replace(replacement(fields));
            case "ByteLevel" -> new Normalizer.ByteLevel();
            case "Sequence" ->
                new Normalizer.Sequence(fields.objects("normalizers").stream()
                        .map(Components::normalizer)
                        .toList());
            default -> throw unsupported(fields, type);
        };
    }

    static PreTokenizer preTokenizer(Fields fields) {
        String type = string(fields, "type");
        return switch (type) {
            case "ByteLevel" ->
                new PreTokenizer.ByteLevel(fields.flag("add_prefix_space", true), fields.flag("use_regex", true));
            case "Split" -> new PreTokenizer.Split(pattern(fields), behavior(fields, ""), fields.flag("invert", false));
            case "Metaspace" ->
                new PreTokenizer.Metaspace(
                        character(fields, "replacement"), prependScheme(fields), fields.flag("split", true));
            case "Digits" ->
                new PreTokenizer.Characters(
                        CodePoints::isNumeric,
                        fields.flag("individual_digits", false) ? SplitBehavior.ISOLATED : SplitBehavior.CONTIGUOUS);
            case "Punctuation" -> new PreTokenizer.Characters(CodePoints::isPunctuation, behavior(fields, "Isolated"));
            case "WhitespaceSplit" -> new PreTokenizer.Characters(CodePoints::isWhiteSpace, SplitBehavior.REMOVED);
            case "Whitespace" -> new PreTokenizer.Whitespace();
            case "Sequence" ->
                new PreTokenizer.Sequence(fields.objects("pretokenizers").stream()
                        .map(Components::preTokenizer)
                        .toList());
            default -> throw unsupported(fields, type);
        };
    }

    static Decoder decoder(Fields fields) {
        String type = string(fields, "type");
        return switch (type) {
            case "ByteLevel" -> new Decoder.ByteLevel();
            case "Metaspace" -> new Decoder.Metaspace(character(fields, "replacement"), prependScheme(fields));
            case "ByteFallback" -> new Decoder.ByteFallback();
            case "Fuse" -> new Decoder.Fuse();
            case "Strip" ->
                new Decoder.Strip(
                        character(fields, "content").codePointAt(0),
                        fields.atLeast("start", 0).orElse(0),
                        fields.atLeast("stop", 0).orElse(0));
            case "Replace" -> new Decoder.Replace(replacement(fields));
            case "BPEDecoder" -> new Decoder.Suffix(string(fields, "suffix"));
            case "Sequence" ->
                new Decoder.Sequence(fields.objects("decoders").stream()
                        .map(Components::decoder)
                        .toList());
            default -> throw unsupported(fields, type);
        };
    }

    static PostProcessor postProcessor(Fields fields) {
        String type = string(fields, "type");
        return switch (type) {
            case "ByteLevel" -> new PostProcessor.Unchanged();
            case "TemplateProcessing" -> template(fields);
            case "Sequence" ->
                new PostProcessor.Sequence(fields.objects("processors").stream()
                        .map(Components::postProcessor)
                        .toList());
            default -> throw unsupported(fields, type);
        };
    }

    private static PostProcessor template(Fields fields) {
        List<PostProcessor.Slot> slots = new ArrayList<>();
        for (Fields slot : fields.objects("single")) {
            if (slot.has("Sequence")) {
                String id = string(slot.object("Sequence").orElseThrow(), "id");
                if (!id.equals("A")) {
                    throw slot.error("Sequence", "is " + Lines.quote(id) + ", expected A");
                }
                slots.add(new PostProcessor.Slot.Text());
            } else {
                Fields special = slot.object("SpecialToken").orElseThrow(() -> slot.missing("SpecialToken"));
                String id = string(special, "id");
                Fields definition = fields.object("special_tokens")
                        .flatMap(tokens -> tokens.object(id))
                        .orElseThrow(() -> special.error("id", "is " + Lines.quote(id) + ", not in special_tokens"));
                slots.add(new PostProcessor.Slot.Special(definition.indices("ids")));
            }
        }
        return new PostProcessor.Template(slots);
    }

    private static SplitBehavior behavior(Fields fields, String otherwise) {
        String name = fields.string("behavior").orElse(otherwise);
        return switch (name) {
            case "Removed" -> SplitBehavior.REMOVED;
            case "Isolated" -> SplitBehavior.ISOLATED;
            case "MergedWithPrevious" -> SplitBehavior.MERGED_WITH_PREVIOUS;
            case "MergedWithNext" -> SplitBehavior.MERGED_WITH_NEXT;
            case "Contiguous" -> SplitBehavior.CONTIGUOUS;
            case "" -> throw fields.missing("behavior");
            default -> throw unknown(fields, "behavior", name);
        };
    }

    /** The scheme, or what older files have instead: whether there is a prefix at all. */
    private static PrependScheme prependScheme(Fields fields) {
        boolean addPrefixSpace = fields.flag("add_prefix_space", true);
        String name = fields.string("prepend_scheme").orElse(addPrefixSpace ? "always" : "never");
        PrependScheme scheme = switch (name) {
            case "always" -> PrependScheme.ALWAYS;
            case "first" -> PrependScheme.FIRST;
            case "never" -> PrependScheme.NEVER;
            default -> throw unknown(fields, "prepend_scheme", name);
        };
        if (!addPrefixSpace && scheme != PrependScheme.NEVER) {
            throw fields.error("prepend_scheme", "is " + name + " and add_prefix_space is false");
        }
        return scheme;
    }

    private static Replacement replacement(Fields fields) {
        return new Replacement(pattern(fields), string(fields, "content"));
    }

    private static TextPattern pattern(Fields fields) {
        Fields pattern = fields.object("pattern").orElseThrow(() -> fields.missing("pattern"));
        if (pattern.has("String")) {
            return TextPattern.literal(string(pattern, "String"));
        }
        try {
            return TextPattern.regex(string(pattern, "Regex"));
        } catch (TokenizerDefectException e) {
            throw pattern.error("Regex", Lines.quote(String.valueOf(e.getMessage())));
        }
    }

    private static String character(Fields fields, String name) {
        String text = string(fields, name);
        if (text.codePointCount(0, text.length()) != 1) {
            throw fields.error(name, "is " + Lines.quote(text) + ", expected one character");
        }
        return text;
    }

    private static String string(Fields fields, String name) {
        return Utf8.wellFormed(fields.string(name).orElseThrow(() -> fields.missing(name)));
    }

    private static ModelFormatException unsupported(Fields fields, String type) {
        return fields.error("type", "is " + Lines.quote(type) + ", which is not supported");
    }

    private static ModelFormatException unknown(Fields fields, String name, String value) {
        return fields.error(name, "is " + Lines.quote(value) + ", which is unknown");
    }
}
