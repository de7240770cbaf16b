package org.pikv4j.loader.tokenizer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.JsonText;
import org.pikv4j.loader.json.Lines;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads a {@code tokenizer.json}. The vocabulary and the merges, some hundred thousand entries each, are read as a
 * stream; the rest is small and read as a tree.
 */
final class TokenizerFile {
    /** The largest files known are below 40 MB. */
    private static final int MAX_BYTES = 256 << 20;

    /** Ids index arrays; the largest vocabularies known have some 260,000 tokens. */
    private static final int MAX_ID = (1 << 24) - 1;

    private final Path file;
    private final ObjectNode root = JsonText.emptyObject();
    private final ObjectNode model = JsonText.emptyObject();
    private final Map<String, Integer> vocabulary = new HashMap<>();
    private final List<Merge> merges = new ArrayList<>();
    private boolean modelSeen;
    private boolean vocabularySeen;
    private boolean mergesSeen;

    private record Merge(String left, String right) {}

    private TokenizerFile(Path file) {
        this.file = file;
    }

    /**
     * @param file a tokenizer.json
     * @return the tokenizer
     * @throws ModelFormatException if it is missing, damaged, or asks for what is not supported
     */
    static HuggingFaceTokenizer read(Path file) {
        TokenizerFile tokenizer = new TokenizerFile(file);
        String text = JsonText.text(file, MAX_BYTES);
        try (JsonParser parser = JsonText.parser(text)) {
            tokenizer.readRoot(parser);
        } catch (JacksonException e) {
            throw JsonText.malformed(file, "not valid JSON", e);
        }
        return tokenizer.build();
    }

    private void readRoot(JsonParser parser) {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new ModelFormatException(file, "not a JSON object");
        }
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            if (parser.nextToken() == JsonToken.START_OBJECT && name.equals("model")) {
                modelSeen = true;
                readModel(parser);
            } else {
                root.set(name, JsonText.tree(parser));
            }
        }
        if (parser.nextToken() != null) {
            throw new ModelFormatException(file, "goes on after the end of its JSON object");
        }
    }

    private void readModel(JsonParser parser) {
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            JsonToken start = parser.nextToken();
            if (name.equals("vocab") && start == JsonToken.START_OBJECT) {
                vocabularySeen = true;
                readVocabulary(parser);
            } else if (name.equals("vocab")) {
                // Other kinds of models have lists here; they are refused when their name is known.
                parser.skipChildren();
            } else if (name.equals("merges") && start == JsonToken.START_ARRAY) {
                mergesSeen = true;
                readMerges(parser);
            } else {
                model.set(name, JsonText.tree(parser));
            }
        }
    }

    private void readVocabulary(JsonParser parser) {
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String token = Utf8.wellFormed(parser.currentName());
            if (parser.nextToken() != JsonToken.VALUE_NUMBER_INT
                    || parser.getLongValue() < 0
                    || parser.getLongValue() > MAX_ID) {
                throw new ModelFormatException(
                        file,
                        "model.vocab: the id of " + Lines.quote(token) + " is not an integer from 0 to " + MAX_ID);
            }
            vocabulary.put(token, parser.getIntValue());
        }
    }

    /** Merges are spelled "a b" in older files and ["a", "b"] in newer ones, where tokens may contain blanks. */
    private void readMerges(JsonParser parser) {
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            if (token == JsonToken.VALUE_STRING) {
                String text = parser.getString();
                if (!text.startsWith("#version")) {
                    int blank = text.indexOf(' ');
                    if (blank < 0 || blank != text.lastIndexOf(' ')) {
                        throw badMerge("is " + Lines.quote(text) + ", expected two tokens");
                    }
                    merges.add(new Merge(text.substring(0, blank), text.substring(blank + 1)));
                }
            } else if (token == JsonToken.START_ARRAY) {
                Merge merge = new Merge(mergeToken(parser), mergeToken(parser));
                if (parser.nextToken() != JsonToken.END_ARRAY) {
                    throw badMerge("does not end after two tokens");
                }
                merges.add(merge);
            } else {
                throw badMerge("is neither a string nor a list of two");
            }
        }
    }

    private String mergeToken(JsonParser parser) {
        if (parser.nextToken() != JsonToken.VALUE_STRING) {
            throw badMerge("is not a list of two strings");
        }
        return parser.getString();
    }

    private ModelFormatException badMerge(String detail) {
        return new ModelFormatException(file, "model.merges[" + merges.size() + "] " + detail);
    }

    private HuggingFaceTokenizer build() {
        Fields fields = new Fields(file, root, "");
        Fields modelFields = new Fields(file, model, "model.");
        if (!modelSeen) {
            throw fields.missing("model");
        }
        String version = fields.string("version").orElse("1.0");
        if (!version.equals("1.0")) {
            throw fields.error("version", "is " + Lines.quote(version) + ", expected 1.0");
        }
        String type = modelFields.string("type").orElse("BPE");
        if (!type.equals("BPE")) {
            throw modelFields.error("type", "is " + Lines.quote(type) + ", only BPE is supported");
        }
        if (!vocabularySeen) {
            throw modelFields.missing("vocab");
        }
        if (!mergesSeen) {
            throw modelFields.missing("merges");
        }
        Vocabulary tokens = new Vocabulary(vocabulary);
        Optional<Normalizer> normalizer = fields.object("normalizer").map(Components::normalizer);
        return new HuggingFaceTokenizer(
                file,
                new AddedVocabulary(
                        fields.objects("added_tokens").stream()
                                .map(Components::addedToken)
                                .toList(),
                        tokens,
                        normalizer),
                fields.object("pre_tokenizer").map(Components::preTokenizer),
                model(modelFields, tokens),
                fields.object("post_processor").map(Components::postProcessor).orElse(new PostProcessor.Unchanged()),
                fields.object("decoder").map(Components::decoder).orElse(new Decoder.Spaced()));
    }

    private BytePairModel model(Fields fields, Vocabulary tokens) {
        if (fields.number("dropout").orElse(0) != 0) {
            throw fields.error("dropout", "is for training, only null is supported");
        }
        BytePairModel.Options options = new BytePairModel.Options(
                fields.string("unk_token"),
                fields.string("continuing_subword_prefix").orElse(""),
                fields.string("end_of_word_suffix").orElse(""),
                fields.flag("fuse_unk", false),
                fields.flag("byte_fallback", false),
                fields.flag("ignore_merges", false));
        return new BytePairModel(tokens, mergeTable(tokens, options.continuingPrefix()), options);
    }

    private MergeTable mergeTable(Vocabulary tokens, String continuingPrefix) {
        MergeTable table = new MergeTable(merges.size());
        for (int rank = 0; rank < merges.size(); rank++) {
            Merge merge = merges.get(rank);
            if (!merge.right.startsWith(continuingPrefix)) {
                throw new ModelFormatException(
                        file,
                        "model.merges[" + rank + "]: " + Lines.quote(merge.right)
                                + " does not begin with model.continuing_subword_prefix");
            }
            table.put(
                    idInMerge(tokens, rank, merge.left),
                    idInMerge(tokens, rank, merge.right),
                    rank,
                    idInMerge(tokens, rank, merge.left + merge.right.substring(continuingPrefix.length())));
        }
        return table;
    }

    private int idInMerge(Vocabulary tokens, int rank, String token) {
        int id = tokens.id(token);
        if (id < 0) {
            throw new ModelFormatException(
                    file, "model.merges[" + rank + "]: " + Lines.quote(token) + " is not in model.vocab");
        }
        return id;
    }
}
