package org.pikv4j.loader.chat;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.pikv4j.error.ChatTemplateException;
import org.pikv4j.loader.jinja.Template;
import org.pikv4j.loader.jinja.TemplateException;
import org.pikv4j.loader.jinja.Value;
import org.pikv4j.loader.json.Lines;
import org.pikv4j.text.ChatMessage;
import org.pikv4j.text.ChatTemplate;

/** A Jinja template with the variables and functions that the transformers library gives it. */
final class JinjaChatTemplate implements ChatTemplate {
    private final String name;
    private final Template template;
    private final Map<String, String> specialTokens;
    private final Clock clock;

    JinjaChatTemplate(String name, Template template, Map<String, String> specialTokens, Clock clock) {
        this.name = name;
        this.template = template;
        this.specialTokens = specialTokens;
        this.clock = clock;
    }

    @Override
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
        Map<String, Value> variables = new HashMap<>();
        specialTokens.forEach((token, text) -> variables.put(token, Value.of(text)));
        variables.put(
                "messages",
                Value.list(messages.stream().map(JinjaChatTemplate::message).toList()));
        variables.put("add_generation_prompt", Value.of(addGenerationPrompt));
        // Defined and None, which templates tell apart from undefined.
        variables.put("tools", Value.None.NONE);
        variables.put("documents", Value.None.NONE);
        variables.put("strftime_now", (Value.Callable)
                arguments -> Value.of(Strftime.format(arguments.text(0, "format"), ZonedDateTime.now(clock))));
        try {
            return template.render(variables);
        } catch (TemplateException e) {
            throw new ChatTemplateException(name + ": " + Lines.quote(String.valueOf(e.getMessage())), e);
        }
    }

    private static Value message(ChatMessage message) {
        Map<String, Value> entries = new LinkedHashMap<>();
        entries.put("role", Value.of(message.role()));
        entries.put("content", Value.of(message.content()));
        return Value.mapping(entries);
    }
}
