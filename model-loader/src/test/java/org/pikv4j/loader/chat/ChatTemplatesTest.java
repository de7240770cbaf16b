package org.pikv4j.loader.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pikv4j.error.ChatTemplateException;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.text.ChatMessage;
import org.pikv4j.text.ChatTemplate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The same prompts as the transformers library; make_expected.py in the test resources says how they were made. */
class ChatTemplatesTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-03-07T14:05:09Z"), ZoneOffset.UTC);
    private static final List<ChatMessage> HELLO = List.of(new ChatMessage("user", "Hello"));

    @TempDir
    Path directory;

    /** A template with a conversation, and what comes out: text or an error. */
    record Case(String name, JsonNode data) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Case> cases() throws Exception {
        List<Case> cases = new ArrayList<>();
        for (JsonNode data : JSON.readTree(resource("expected.json"))) {
            cases.add(new Case(data.get("name").stringValue(), data));
        }
        return cases;
    }

    private static String resource(String name) throws Exception {
        return Files.readString(Path.of(Objects.requireNonNull(ChatTemplatesTest.class.getResource("/chat/" + name))
                .toURI()));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void rendersLikeTheTransformersLibrary(Case example) throws Exception {
        JsonNode data = example.data();
        String source = data.has("family")
                ? resource("families/" + data.get("family").stringValue() + ".jinja")
                : data.get("template").stringValue();
        List<ChatMessage> messages = new ArrayList<>();
        data.get("messages")
                .forEach(m -> messages.add(new ChatMessage(
                        m.get("role").stringValue(), m.get("content").stringValue())));
        boolean prompt = data.get("add_generation_prompt").booleanValue();
        ObjectNode config = JSON.createObjectNode();
        config.put("bos_token", "<s>");
        config.putObject("eos_token").put("content", "</s>").put("special", true);
        config.put("chat_template", source);
        write("tokenizer_config.json", JSON.writeValueAsString(config));
        if (data.has("text")) {
            assertThat(load().render(messages, prompt))
                    .isEqualTo(data.get("text").stringValue());
        } else {
            assertThatExceptionOfType(RuntimeException.class)
                    .isThrownBy(() -> load().render(messages, prompt))
                    .isInstanceOfAny(ModelFormatException.class, ChatTemplateException.class)
                    .satisfies(e ->
                            assertThat(e.getMessage()).contains("chat_template").doesNotContain("\n"))
                    .satisfies(e -> {
                        if (source.contains("raise_exception")) {
                            assertThat(e).hasMessageContaining(data.get("error").stringValue());
                        }
                    });
        }
    }

    private ChatTemplate load() {
        return ChatTemplates.load(directory, CLOCK).orElseThrow();
    }

    private void write(String file, String text) throws Exception {
        Files.writeString(directory.resolve(file), text);
    }

    @Test
    void aModelNeedNotHaveOne() throws Exception {
        assertThat(ChatTemplates.load(directory)).isEmpty();
        write("tokenizer_config.json", "{\"bos_token\": null}");
        assertThat(ChatTemplates.load(directory)).isEmpty();
    }

    @Test
    void aFileOfItsOwnGoesFirst() throws Exception {
        write("chat_template.jinja", "own {{ bos_token }}");
        assertThat(load().render(HELLO, true)).isEqualTo("own ");
        write("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"chat_template\": \"other\"}");
        assertThat(load().render(HELLO, true)).isEqualTo("own <s>");
    }

    @Test
    void ofSeveralTheDefaultCounts() throws Exception {
        write("tokenizer_config.json", """
                {"chat_template": [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]}""");
        assertThat(load().render(HELLO, true)).isEqualTo("d");
        write("tokenizer_config.json", """
                {"chat_template": [{"name": "only", "template": "o"}]}""");
        assertThat(load().render(HELLO, true)).isEqualTo("o");
        write("tokenizer_config.json", """
                {"chat_template": [{"name": "a", "template": "a"}, {"name": "b", "template": "b"}]}""");
        assertThatExceptionOfType(ModelFormatException.class)
                .isThrownBy(this::load)
                .withMessageEndingWith(
                        "tokenizer_config.json: chat_template has several templates and none is named default");
    }

    @Test
    void saysWhereATemplateFails() throws Exception {
        write(
                "chat_template.jinja",
                "a\n{% if messages[0].role == 'user' %}\n{{ raise_exception('No\nusers') }}{% endif %}");
        assertThatExceptionOfType(ChatTemplateException.class)
                .isThrownBy(() -> load().render(HELLO, true))
                .withMessageEndingWith("chat_template.jinja: line 3: No\\u000ausers");
        write("chat_template.jinja", "a\n{% if %}");
        assertThatExceptionOfType(ModelFormatException.class)
                .isThrownBy(this::load)
                .withMessageEndingWith("chat_template.jinja: line 2: expected an expression, found %}");
        write("tokenizer_config.json", "{\"chat_template\": \"{% include 'x' %}\"}");
        Files.delete(directory.resolve("chat_template.jinja"));
        assertThatExceptionOfType(ModelFormatException.class)
                .isThrownBy(this::load)
                .withMessageEndingWith("tokenizer_config.json: chat_template line 1: tag include is not supported");
    }
}
