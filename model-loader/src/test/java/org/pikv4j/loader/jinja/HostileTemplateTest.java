package org.pikv4j.loader.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates that want more than they are given. */
class HostileTemplateTest {
    private static final Map<String, Value> VARIABLES =
            Map.of("text", Value.of("a".repeat(1_000_000)), "list", Value.list(List.of(Value.of("x"), Value.of(1))));

    @ParameterizedTest
    @ValueSource(
            strings = {
                // Time.
                "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
                "{% for i in range(100000) %}{{ text|first }}{% endfor %}",
                "{% for i in range(100000) %}{% if 'b' in text %}{% endif %}{% endfor %}",
                "{% for i in range(100000) %}{% if text == text ~ '' %}{% endif %}{% endfor %}",
                "{% for i in range(100000) %}{{ text.find('b') }}{% endfor %}",
                "{% for i in range(100000) %}{% set x = text|list|sort %}{% endfor %}",
                "{{ 1000000007 ** 1000000007 }}",
                // Memory.
                "{% set ns = namespace(x='a') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
                "{{ 'a' * 100000000000 }}",
                "{{ ('a' * 60000000) ~ ('a' * 60000000) }}",
                "{% for i in range(100000) %}{{ text }}{% endfor %}",
                "{{ text.replace('a', text) }}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
                "{{ text|indent(1000, true) ~ text.replace('a', '\\n')|indent(1000, true, true) }}",
                // Shared parts: small to make, without end to print, to compare, to hash.
                "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ {ns.x: 1} }}",
                "{% set ns = namespace(x={}) %}{% for i in range(100) %}{% set ns.x = {'a': ns.x, 'b': ns.x} %}{% endfor %}{{ ns.x|tojson }}",
                // Depth.
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
                "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x|tojson }}",
            })
    void ends(String template) {
        assertThatExceptionOfType(TemplateException.class)
                .isThrownBy(() -> Template.parse(template).render(VARIABLES))
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(200).doesNotContain("\n"));
    }

    @Test
    void deepNestingIsRefused() {
        for (String template : List.of(
                "{{ " + "(".repeat(100_000) + ")".repeat(100_000) + " }}",
                "{{ " + "[".repeat(100_000) + "]".repeat(100_000) + " }}",
                "{% if true %}".repeat(50_000) + "{% endif %}".repeat(50_000),
                "{{ 1" + " + 1".repeat(100_000) + " }}",
                "{{ " + "not ".repeat(100_000) + "1 }}",
                "{{ x" + ".x".repeat(100_000) + " }}",
                "x".repeat(2_000_000))) {
            assertThatExceptionOfType(TemplateException.class)
                    .isThrownBy(() -> Template.parse(template).render(Map.of()));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ text.getClass() }}", "{{ text.__class__ }}", "{{ list.__class__.__mro__ }}", "{{ text['class'] }}",
                        "{{ list.getClass }}",
                "{{ namespace.getClass() }}", "{{ raise_exception.__globals__ }}", "{{ list|attr('__class__') }}",
                        "{{ self }}", "{{ loop }}"
            })
    void reachesNothingButItsValues(String template) {
        try {
            assertThat(Template.parse(template).render(VARIABLES)).isIn("", "<function>");
        } catch (TemplateException e) {
            assertThat(e.getMessage()).startsWith("line 1: ");
        }
    }

    @Test
    void noMutantDoesWorseThanATypedException() throws Exception {
        long seed = System.getProperty("pikv.seed", "").isBlank() ? 20_260_101 : Long.getLong("pikv.seed");
        Random random = new Random(seed);
        String original = """
                {%- set ns = namespace(n=0) -%}
                {%- macro show(m, end='\\n') -%}{{ m.role ~ ': ' + m['content']|trim }}{{ end }}{%- endmacro -%}
                {% for m in messages[::-1] if m.role in ['user', "system"] and not (m is none) %}
                  {%- if loop.first or m.content.split('x')[-1].startswith(('a', 'b')) %}{% set ns.n = ns.n + 1 -%}
                  {%- elif ns.n // 2 >= 1 %}{% break %}{% else %}{% endif %}
                {{ show(m, end=loop.index ~ '|') if m is mapping else m|tojson(indent=2) }}
                {% endfor %}{# done #}{{ {'n': ns.n, 'r': range(3)|list} }}
                """;
        Map<String, Value> variables = Map.of(
                "messages",
                Value.list(List.of(
                        Value.mapping(Map.of("role", Value.of("user"), "content", Value.of("axb"))),
                        Value.mapping(Map.of("role", Value.of("system"), "content", Value.of("é\n"))))));
        assertThat(Template.parse(original).render(variables)).contains("user: axb2|");
        for (int i = 0; i < 3_000; i++) {
            StringBuilder mutant = new StringBuilder(original);
            for (int n = random.nextInt(4); n >= 0; n--) {
                int at = random.nextInt(mutant.length());
                int end = Math.min(mutant.length(), at + random.nextInt(12));
                switch (random.nextInt(3)) {
                    case 0 -> mutant.delete(at, end);
                    case 1 -> mutant.insert(random.nextInt(mutant.length()), mutant.substring(at, end));
                    default -> mutant.setCharAt(at, (char) (32 + random.nextInt(95)));
                }
            }
            try {
                Template.parse(mutant.toString()).render(variables);
            } catch (TemplateException e) {
                assertThat(e.getMessage()).startsWith("line ");
            } catch (RuntimeException e) {
                throw new AssertionError("mutant " + i + ", -Dpikv.seed=" + seed + ": " + mutant, e);
            }
        }
    }
}
