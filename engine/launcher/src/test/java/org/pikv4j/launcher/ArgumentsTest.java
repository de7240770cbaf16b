package org.pikv4j.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ArgumentsTest {
    private static void check(String text, String... arguments) throws LaunchException {
        assertThat(Arguments.split(text, "TEXT")).containsExactly(arguments);
    }

    @Test
    void splitsAsTheJavaCommandDoes() throws Exception {
        check("");
        check("  \n\t ");
        check("-Xmx1g  -Da=b\r\n-ea", "-Xmx1g", "-Da=b", "-ea");
        check("# all\n-a # the rest\n-b#kept", "-a", "-b#kept");
        check("\"a b\" 'c \"d\"' e\" \"f \"\"", "a b", "c \"d\"", "e f", "");
        check("\"C:\\\\Program Files\\\\x\" C:\\plain", "C:\\Program Files\\x", "C:\\plain");
        check("\"one\\\n    two\" \"tab\\tnew\\nq\\\"\"", "onetwo", "tab\tnew\nq\"");
        check("\"# no comment\"", "# no comment");
    }

    @Test
    void anOpenQuoteNamesItsSource() {
        assertThatThrownBy(() -> Arguments.split("-a \"b c", "PIKV4J_JAVA_OPTS"))
                .isInstanceOf(LaunchException.class)
                .hasMessage("PIKV4J_JAVA_OPTS has a quote that is not closed");
    }
}
