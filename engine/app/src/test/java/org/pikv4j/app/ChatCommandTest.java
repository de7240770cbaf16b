package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.pikv4j.cli.DemoModel;

class ChatCommandTest {
    private static final String NOTES = "Notes: Ada likes mango. The knife is in the garage.";
    private static final String KNIFE = "Question: Where is the knife?\n";
    private static final String MANGO = "Question: What does Ada like?\n";
    private static final Pattern PROMPT_TOKENS = Pattern.compile("prompt (\\d+) tokens");

    private static List<Integer> promptTokens(Program program) {
        return PROMPT_TOKENS
                .matcher(program.err())
                .results()
                .map(result -> Integer.valueOf(result.group(1)))
                .toList();
    }

    @Test
    void eachTurnReadsOnlyWhatIsNew() {
        Program program = Program.runWithInput(KNIFE + "\n" + MANGO, "chat", "--system", NOTES);
        assertThat(program.out()).isEqualTo("The knife is in the garage.\nAda likes mango.\n");
        assertThat(program.code()).isZero();
        List<Integer> read = promptTokens(program);
        assertThat(read).hasSize(2);
        assertThat(read.get(0)).isGreaterThan(20);
        assertThat(read.get(1)).isLessThan(12);
    }

    @Test
    void resetForgetsTheTurnsButNotTheSystemMessage() {
        Program program =
                Program.runWithInput(KNIFE + "/reset\n" + KNIFE + "/exit\n" + KNIFE, "chat", "--system", NOTES);
        assertThat(program.out()).isEqualTo("The knife is in the garage.\n".repeat(2));
        List<Integer> read = promptTokens(program);
        assertThat(read.get(1)).isEqualTo(read.get(0));
    }

    @Test
    void whatGoesWrongEndsATurnAlone() throws Exception {
        ByteArrayOutputStream stdin = new ByteArrayOutputStream();
        stdin.write(new byte[] {'a', (byte) 0xff, '\n'});
        stdin.write(("Ada likes mango. ".repeat(100) + "\n" + KNIFE).getBytes(StandardCharsets.UTF_8));
        Program program = Program.runWithInput(stdin.toByteArray(), "chat", "--system", NOTES, "--kv-budget", "256KiB");
        assertThat(program.err().lines()).hasSize(3);
        assertThat(program.err().lines().toList().get(0))
                .isEqualTo("pikv4j: stdin, line 1: invalid UTF-8 at byte 1 of 2");
        assertThat(program.err().lines().toList().get(1))
                .startsWith("pikv4j: ")
                .contains("budget")
                .endsWith("/reset begins a new conversation");
        assertThat(program.out()).isEqualTo("The knife is in the garage.\n");
        assertThat(program.code()).isZero();
    }

    @Test
    void theDemoModelIsToldNotesWhereTheUserTellsItNone() {
        Program program = Program.runWithInput("Where does the baker live?\nWhat does Ada like?\n", "chat");
        assertThat(program.out()).isEqualTo("The baker lives in Rome.\nAda likes mango.\n");
        assertThat(program.err()).contains("--system", DemoModel.NOTES, "Where is the knife?");
        assertThat(Program.runWithInput("", "chat", "--system", NOTES).err()).isEmpty();
    }

    @Test
    void whatItIsToldOnTheWayItKnows() {
        Program program =
                Program.runWithInput("The lamp is in the library.\nWhere is the lamp?\n", "chat", "--system", NOTES);
        assertThat(program.out()).endsWith("\nThe lamp is in the library.\n");
    }

    @Test
    void wordsAfterASlashAreNotForTheModel() {
        Program program = Program.runWithInput("/help\n/rset now\n/etc/hosts?\n", "chat", "--system", NOTES);
        assertThat(program.err().lines().limit(2))
                .containsExactly(Chat.HELP, "pikv4j: unknown command /rset; there are /reset, /exit and /help");
        assertThat(promptTokens(program)).hasSize(1);
    }

    @Test
    void aModelWithoutATemplateIsRefused() {
        Program program =
                Program.run("chat", "--model", Program.fixture("mixtral").toString());
        assertThat(program.err()).startsWith("pikv4j: ").contains("chat template");
        assertThat(program.err().lines()).hasSize(1);
        assertThat(program.code()).isEqualTo(2);
    }
}
