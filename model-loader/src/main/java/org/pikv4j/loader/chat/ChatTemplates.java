package org.pikv4j.loader.chat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.jinja.Template;
import org.pikv4j.loader.jinja.TemplateException;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.JsonText;
import org.pikv4j.loader.json.Lines;
import org.pikv4j.text.ChatTemplate;

/**
 * Finds a model's chat template as the transformers library does: {@code chat_template.jinja}, or else the field
 * {@code chat_template} of {@code tokenizer_config.json}, a template or a list of named ones of which the default
 * counts. The special tokens of that file are variables of the template.
 */
public final class ChatTemplates {
    private static final String CONFIG = "tokenizer_config.json";
    private static final String TEMPLATE = "chat_template.jinja";
    private static final String FIELD = "chat_template";

    /** Files with thousands of added tokens come near 1 MB. */
    private static final int MAX_BYTES = 32 << 20;

    private static final List<String> SPECIAL_TOKENS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    private ChatTemplates() {}

    /**
     * @param modelDir a model's directory
     * @return its chat template, if it has one
     * @throws ModelFormatException if one of its files is damaged or the template malformed
     */
    public static Optional<ChatTemplate> load(Path modelDir) {
        return load(modelDir, Clock.system(ZoneId.systemDefault()));
    }

    /** The clock is for templates that write today's date. */
    static Optional<ChatTemplate> load(Path modelDir, Clock clock) {
        Path config = modelDir.resolve(CONFIG);
        Path separate = modelDir.resolve(TEMPLATE);
        Optional<Fields> fields =
                Files.exists(config) ? Optional.of(JsonText.object(config, MAX_BYTES)) : Optional.empty();
        Map<String, String> specialTokens =
                fields.map(ChatTemplates::specialTokens).orElse(Map.of());
        if (Files.exists(separate)) {
            String source = JsonText.text(separate, MAX_BYTES);
            return Optional.of(new JinjaChatTemplate(
                    separate.toString(),
                    parse(source, e -> new ModelFormatException(separate, e)),
                    specialTokens,
                    clock));
        }
        return fields.filter(f -> f.has(FIELD))
                .map(f -> new JinjaChatTemplate(
                        config + ": " + FIELD, parse(inConfig(f), e -> f.error(FIELD, e)), specialTokens, clock));
    }

    private interface Failure {
        ModelFormatException of(String detail);
    }

    private static Template parse(String source, Failure failure) {
        try {
            return Template.parse(source);
        } catch (TemplateException e) {
            throw failure.of(Lines.quote(String.valueOf(e.getMessage())));
        }
    }

    private static String inConfig(Fields fields) {
        if (!fields.isList(FIELD)) {
            return fields.string(FIELD).orElseThrow(() -> fields.missing(FIELD));
        }
        List<Fields> named = fields.objects(FIELD);
        Fields chosen = named.stream()
                .filter(template ->
                        named.size() == 1 || template.string("name").orElse("").equals("default"))
                .findFirst()
                .orElseThrow(() -> fields.error(FIELD, "has several templates and none is named default"));
        return chosen.string("template").orElseThrow(() -> chosen.missing("template"));
    }

    /** Each is a string, or an object with the string as its content. */
    private static Map<String, String> specialTokens(Fields fields) {
        Map<String, String> tokens = new LinkedHashMap<>();
        for (String name : SPECIAL_TOKENS) {
            Optional<String> token = fields.isObject(name)
                    ? fields.object(name).flatMap(added -> added.string("content"))
                    : fields.string(name);
            token.ifPresent(text -> tokens.put(name, text));
        }
        return tokens;
    }
}
