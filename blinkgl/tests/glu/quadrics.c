/* Writes what GLU's quadrics call, as tests/quadrics.rs compares it:
 *
 *     cc -o quadrics quadrics.c -lGLU && ./quadrics > quadrics.txt
 *
 * For each shape and setting: how often each function is called, and a weighted sum of its arguments. The
 * functions of OpenGL are this program's own. Left out is what GLU computes from memory that it has not set: points
 * and silhouettes with flat normals. */
#include <GL/glu.h>
#include <stdio.h>
#include <string.h>

static unsigned begins, modes, normals, coordinates, vertices, arguments;
static double sum;

static void add(double value)
{
    arguments++;
    sum += value * (1 + arguments % 7);
}

void glBegin(GLenum mode)
{
    begins++;
    modes += mode;
}

void glEnd(void) {}

void glNormal3f(GLfloat x, GLfloat y, GLfloat z)
{
    normals++;
    add(x), add(y), add(z);
}

void glTexCoord2f(GLfloat s, GLfloat t)
{
    coordinates++;
    add(s), add(t);
}

void glVertex3f(GLfloat x, GLfloat y, GLfloat z)
{
    vertices++;
    add(x), add(y), add(z);
}

int main(void)
{
    static const GLenum styles[] = { GLU_FILL, GLU_LINE, GLU_SILHOUETTE, GLU_POINT };
    static const GLenum shading[] = { GLU_SMOOTH, GLU_FLAT, GLU_NONE };
    static const GLenum sides[] = { GLU_OUTSIDE, GLU_INSIDE };
    static const char *names[] = { "sphere", "cylinder", "cone", "disk", "ring", "circle", "sector", "backwards" };
    GLUquadric *q = gluNewQuadric();
    for (int shape = 0; shape < 8; shape++)
        for (int style = 0; style < 4; style++)
            for (int normal = 0; normal < 3; normal++)
                for (int side = 0; side < 2; side++)
                    for (int texture = 0; texture < 2; texture++) {
                        if (normal == 1 && style >= 2 && shape < 3)
                            continue;
                        begins = modes = normals = coordinates = vertices = arguments = 0;
                        sum = 0;
                        gluQuadricDrawStyle(q, styles[style]);
                        gluQuadricNormals(q, shading[normal]);
                        gluQuadricOrientation(q, sides[side]);
                        gluQuadricTexture(q, (GLboolean)texture);
                        switch (shape) {
                        case 0: gluSphere(q, 1.5, 7, 5); break;
                        case 1: gluCylinder(q, 1, 0.5, 2, 8, 3); break;
                        case 2: gluCylinder(q, 0.75, 0, 1.25, 5, 1); break;
                        case 3: gluDisk(q, 0, 1.25, 9, 2); break;
                        case 4: gluDisk(q, 0.5, 1.5, 6, 3); break;
                        case 5: gluDisk(q, 1, 1, 6, 1); break;
                        case 6: gluPartialDisk(q, 0.25, 1, 5, 2, 30, 200); break;
                        default: gluPartialDisk(q, 0, 1, 4, 1, 45, -90); break;
                        }
                        printf("%s %d %d %d %d: %u %u %u %u %u %.5f\n", names[shape], style, normal, side, texture,
                               begins, modes, normals, coordinates, vertices, sum);
                    }
    return 0;
}
