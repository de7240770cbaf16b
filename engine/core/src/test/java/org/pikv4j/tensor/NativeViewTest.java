package org.pikv4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeViewTest {
    @TempDir
    private Path directory;

    private MemorySegment mapped(Arena arena) throws IOException {
        Path file = directory.resolve("bytes");
        Files.write(file, new byte[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
        try (FileChannel channel = FileChannel.open(file)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
    }

    @Test
    void weightsOfAFileAreOfTheClassOfAllocatedMemory() throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment odd = mapped(arena).asSlice(1, 8); // at an odd address, as files may have it
            Tensor tensor = new Tensor("w", DType.BF16, List.of(4L), odd);
            assertThat(tensor.data().getClass())
                    .isEqualTo(arena.allocate(8).getClass())
                    .isNotEqualTo(odd.getClass());
            assertThat(tensor.data().toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(tensor.data().isReadOnly()).isTrue();
        }
    }

    @Test
    void theViewEndsWithTheMapping() throws IOException {
        MemorySegment view;
        try (Arena arena = Arena.ofShared()) {
            view = NativeView.of(mapped(arena));
        }
        assertThatThrownBy(() -> view.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatHasNoSuchViewStaysAsItIs() throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment odd = mapped(arena).asSlice(0, 5);
            MemorySegment allocated = arena.allocate(8);
            assertThat(NativeView.of(odd)).isSameAs(odd);
            assertThat(NativeView.of(allocated)).isSameAs(allocated);
        }
    }
}
