/*
 * BlinkGL for C: OpenGL calls that are recorded into stored procedures, which a Blink server runs.
 *
 * Include it in place of <GL/gl.h> and <GL/glu.h>, and link with libblinkgl. C99, C++98 and newer. A program with GLUT
 * includes <blinkglut.h> instead, which includes this.
 *
 * HOW IT DIFFERS FROM AN OPENGL THAT DRAWS AT ONCE
 *
 * A call draws nothing: it is recorded, between blinkBegin and blinkEnd, into a procedure for one of a window's callbacks.
 * After blinkCommit the server runs the callbacks as often as the screen needs it, without the program:
 *
 *     BLINK_INIT     at first, when it is replaced, and after a restart of the server; begins with OpenGL's initial state
 *     BLINK_RESHAPE  after init, when the window was resized or moved, and when it is replaced
 *     BLINK_UPDATE   after blinkRequestUpdate
 *     BLINK_REDRAW   for each picture. Begins with the state that the others left; what it changes is dropped at its end
 *     BLINK_INPUT    on user input; no OpenGL, only registers
 *
 * - Only BLINK_REDRAW draws, and it has to clear, because it may draw over any older picture. Display lists are
 *   defined in the others.
 * - Each callback and each list begins in matrix mode GL_MODELVIEW with GL_TEXTURE0 active, and leaves the matrix stacks and
 *   the attribute stack as deep as it found them. A list that changes matrices is called in GL_MODELVIEW, one that changes
 *   textures with GL_TEXTURE0 active; others in any mode.
 * - Textures and buffers have one content, which they get at the commit, not one for each draw.
 * - Vertex arrays in the program's memory are read when the draw is recorded. Arrays in buffers (glBindBuffer) are
 *   read by the server whenever it draws, so glBufferSubData and a commit change the picture.
 * - Numbers that shall change from picture to picture without the program are virtual registers: see BlinkValue.
 *
 * ERRORS
 *
 * What Blink has not is not declared here, and values that it has not are GL_INVALID_ENUM or GL_INVALID_VALUE when the
 * call is recorded: nothing is left out silently. Each such error is printed to stderr, once, with the name of
 * the call; blinkError gives the last one's text. blinkEnd verifies the procedure as the server will. glHint and
 * GL_DITHER have no effect, as OpenGL allows.
 *
 * Left out are: edge flags, stipples, antialiasing by glEnable, multisampling, the accumulation buffer, evaluators,
 * feedback and selection, raster positions and pixel copies to and from the screen, pixel transfer, textures of other than
 * two dimensions, compressed textures, texture borders, color index mode, and asking for state that the server has.
 *
 * All calls are made by one thread. A null pointer where values are read is GL_INVALID_VALUE.
 */
#ifndef BLINKGL_H
#define BLINKGL_H

#include <stddef.h>

/* True when a program is built for Blink: `#ifdef BLINKGL`. The compiler flags of the pkg-config file define it too. */
#ifndef BLINKGL
#define BLINKGL 1
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- OpenGL: types and values ---- */

typedef void GLvoid;
typedef unsigned char GLboolean;
typedef signed char GLbyte;
typedef unsigned char GLubyte;
typedef short GLshort;
typedef unsigned short GLushort;
typedef int GLint;
typedef unsigned int GLuint;
typedef unsigned int GLenum;
typedef unsigned int GLbitfield;
typedef int GLsizei;
typedef float GLfloat;
typedef float GLclampf;
typedef double GLdouble;
typedef double GLclampd;
typedef ptrdiff_t GLintptr;
typedef ptrdiff_t GLsizeiptr;

/* Booleans and errors */
#define GL_FALSE                           0
#define GL_TRUE                            1
#define GL_NO_ERROR                        0
#define GL_INVALID_ENUM                    0x0500
#define GL_INVALID_VALUE                   0x0501
#define GL_INVALID_OPERATION               0x0502
#define GL_STACK_OVERFLOW                  0x0503
#define GL_STACK_UNDERFLOW                 0x0504
#define GL_OUT_OF_MEMORY                   0x0505

/* Primitives of glBegin */
#define GL_POINTS                          0
#define GL_LINES                           1
#define GL_LINE_LOOP                       2
#define GL_LINE_STRIP                      3
#define GL_TRIANGLES                       4
#define GL_TRIANGLE_STRIP                  5
#define GL_TRIANGLE_FAN                    6
#define GL_QUADS                           7
#define GL_QUAD_STRIP                      8
#define GL_POLYGON                         9

/* Faces */
#define GL_FRONT                           0x0404
#define GL_BACK                            0x0405
#define GL_FRONT_AND_BACK                  0x0408

/* Material parameters */
#define GL_AMBIENT                         0x1200
#define GL_DIFFUSE                         0x1201
#define GL_SPECULAR                        0x1202
#define GL_EMISSION                        0x1600
#define GL_SHININESS                       0x1601
#define GL_AMBIENT_AND_DIFFUSE             0x1602

/* Matrix modes */
#define GL_MODELVIEW                       0x1700
#define GL_PROJECTION                      0x1701
#define GL_TEXTURE                         0x1702

/* Capabilities of glEnable */
#define GL_CULL_FACE                       0x0B44
#define GL_LIGHTING                        0x0B50
#define GL_COLOR_MATERIAL                  0x0B57
#define GL_FOG                             0x0B60
#define GL_DEPTH_TEST                      0x0B71
#define GL_STENCIL_TEST                    0x0B90
#define GL_NORMALIZE                       0x0BA1
#define GL_ALPHA_TEST                      0x0BC0
#define GL_DITHER                          0x0BD0
#define GL_BLEND                           0x0BE2
#define GL_COLOR_LOGIC_OP                  0x0BF2
#define GL_SCISSOR_TEST                    0x0C11
#define GL_TEXTURE_GEN_S                   0x0C60
#define GL_TEXTURE_GEN_T                   0x0C61
#define GL_TEXTURE_GEN_R                   0x0C62
#define GL_TEXTURE_GEN_Q                   0x0C63
#define GL_TEXTURE_2D                      0x0DE1
#define GL_POLYGON_OFFSET_POINT            0x2A01
#define GL_POLYGON_OFFSET_LINE             0x2A02
#define GL_CLIP_PLANE0                     0x3000
#define GL_CLIP_PLANE1                     0x3001
#define GL_CLIP_PLANE2                     0x3002
#define GL_CLIP_PLANE3                     0x3003
#define GL_CLIP_PLANE4                     0x3004
#define GL_CLIP_PLANE5                     0x3005
#define GL_POLYGON_OFFSET_FILL             0x8037
#define GL_RESCALE_NORMAL                  0x803A
#define GL_LIGHT0                          0x4000
#define GL_LIGHT1                          0x4001
#define GL_LIGHT2                          0x4002
#define GL_LIGHT3                          0x4003
#define GL_LIGHT4                          0x4004
#define GL_LIGHT5                          0x4005
#define GL_LIGHT6                          0x4006
#define GL_LIGHT7                          0x4007

/* Shade models */
#define GL_FLAT                            0x1D00
#define GL_SMOOTH                          0x1D01

/* Windings */
#define GL_CW                              0x0900
#define GL_CCW                             0x0901

/* Comparison functions of the depth, stencil and alpha tests */
#define GL_NEVER                           0x0200
#define GL_LESS                            0x0201
#define GL_EQUAL                           0x0202
#define GL_LEQUAL                          0x0203
#define GL_GREATER                         0x0204
#define GL_NOTEQUAL                        0x0205
#define GL_GEQUAL                          0x0206
#define GL_ALWAYS                          0x0207

/* Blend factors */
#define GL_ZERO                            0
#define GL_ONE                             1
#define GL_SRC_COLOR                       0x0300
#define GL_ONE_MINUS_SRC_COLOR             0x0301
#define GL_SRC_ALPHA                       0x0302
#define GL_ONE_MINUS_SRC_ALPHA             0x0303
#define GL_DST_ALPHA                       0x0304
#define GL_ONE_MINUS_DST_ALPHA             0x0305
#define GL_DST_COLOR                       0x0306
#define GL_ONE_MINUS_DST_COLOR             0x0307
#define GL_SRC_ALPHA_SATURATE              0x0308
#define GL_CONSTANT_COLOR                  0x8001
#define GL_ONE_MINUS_CONSTANT_COLOR        0x8002
#define GL_CONSTANT_ALPHA                  0x8003
#define GL_ONE_MINUS_CONSTANT_ALPHA        0x8004

/* Buffers of glClear */
#define GL_DEPTH_BUFFER_BIT                0x0100
#define GL_STENCIL_BUFFER_BIT              0x0400
#define GL_COLOR_BUFFER_BIT                0x4000

/* Lights */

/* Light parameters */
#define GL_POSITION                        0x1203
#define GL_SPOT_DIRECTION                  0x1204
#define GL_SPOT_EXPONENT                   0x1205
#define GL_SPOT_CUTOFF                     0x1206
#define GL_CONSTANT_ATTENUATION            0x1207
#define GL_LINEAR_ATTENUATION              0x1208
#define GL_QUADRATIC_ATTENUATION           0x1209

/* Light model parameters */
#define GL_LIGHT_MODEL_LOCAL_VIEWER        0x0B51
#define GL_LIGHT_MODEL_TWO_SIDE            0x0B52
#define GL_LIGHT_MODEL_AMBIENT             0x0B53

/* What glColorMaterial tracks */

/* Texture environment modes */
#define GL_ADD                             0x0104
#define GL_REPLACE                         0x1E01
#define GL_MODULATE                        0x2100
#define GL_DECAL                           0x2101
#define GL_COMBINE                         0x8570

/* Texture parameters */
#define GL_TEXTURE_MAG_FILTER              0x2800
#define GL_TEXTURE_MIN_FILTER              0x2801
#define GL_TEXTURE_WRAP_S                  0x2802
#define GL_TEXTURE_WRAP_T                  0x2803

/* Texture units */
#define GL_TEXTURE0                        0x84C0
#define GL_TEXTURE1                        0x84C1

/* Parameters of the texture environment mode `combine` */
#define GL_COMBINE_RGB                     0x8571
#define GL_COMBINE_ALPHA                   0x8572
#define GL_SRC0_RGB                        0x8580
#define GL_SRC1_RGB                        0x8581
#define GL_SRC2_RGB                        0x8582
#define GL_SRC0_ALPHA                      0x8588
#define GL_SRC1_ALPHA                      0x8589
#define GL_SRC2_ALPHA                      0x858A
#define GL_OPERAND0_RGB                    0x8590
#define GL_OPERAND1_RGB                    0x8591
#define GL_OPERAND2_RGB                    0x8592
#define GL_OPERAND0_ALPHA                  0x8598
#define GL_OPERAND1_ALPHA                  0x8599
#define GL_OPERAND2_ALPHA                  0x859A

/* Values of the parameters of `combine`: functions for combine_*, sources for src*, operands for operand*; dot products for combine_rgb only, colors for operand*_rgb only */
#define GL_SUBTRACT                        0x84E7
#define GL_ADD_SIGNED                      0x8574
#define GL_INTERPOLATE                     0x8575
#define GL_CONSTANT                        0x8576
#define GL_PRIMARY_COLOR                   0x8577
#define GL_PREVIOUS                        0x8578
#define GL_DOT3_RGB                        0x86AE
#define GL_DOT3_RGBA                       0x86AF

/* Scales of the texture environment mode `combine` */
#define GL_ALPHA_SCALE                     0x0D1C
#define GL_RGB_SCALE                       0x8573

/* Texture coordinates */
#define GL_S                               0x2000
#define GL_T                               0x2001
#define GL_R                               0x2002
#define GL_Q                               0x2003

/* How texture coordinates are generated; `sphere_map` for s and t only */
#define GL_EYE_LINEAR                      0x2400
#define GL_OBJECT_LINEAR                   0x2401
#define GL_SPHERE_MAP                      0x2402

/* Planes that texture coordinates are generated from */
#define GL_OBJECT_PLANE                    0x2501
#define GL_EYE_PLANE                       0x2502

/* Blend equations */
#define GL_FUNC_ADD                        0x8006
#define GL_MIN                             0x8007
#define GL_MAX                             0x8008
#define GL_FUNC_SUBTRACT                   0x800A
#define GL_FUNC_REVERSE_SUBTRACT           0x800B

/* Logical operations on colors */
#define GL_CLEAR                           0x1500
#define GL_AND                             0x1501
#define GL_AND_REVERSE                     0x1502
#define GL_COPY                            0x1503
#define GL_AND_INVERTED                    0x1504
#define GL_NOOP                            0x1505
#define GL_XOR                             0x1506
#define GL_OR                              0x1507
#define GL_NOR                             0x1508
#define GL_EQUIV                           0x1509
#define GL_INVERT                          0x150A
#define GL_OR_REVERSE                      0x150B
#define GL_COPY_INVERTED                   0x150C
#define GL_OR_INVERTED                     0x150D
#define GL_NAND                            0x150E
#define GL_SET                             0x150F

/* What happens to the stencil buffer */
#define GL_KEEP                            0x1E00
#define GL_INCR                            0x1E02
#define GL_DECR                            0x1E03
#define GL_INCR_WRAP                       0x8507
#define GL_DECR_WRAP                       0x8508

/* How polygons are drawn */
#define GL_POINT                           0x1B00
#define GL_LINE                            0x1B01
#define GL_FILL                            0x1B02

/* Point parameters */
#define GL_POINT_SIZE_MIN                  0x8126
#define GL_POINT_SIZE_MAX                  0x8127
#define GL_POINT_FADE_THRESHOLD_SIZE       0x8128
#define GL_POINT_DISTANCE_ATTENUATION      0x8129

/* Clip planes */

/* Fog modes */
#define GL_EXP                             0x0800
#define GL_EXP2                            0x0801
#define GL_LINEAR                          0x2601

/* Fog parameters */
#define GL_FOG_DENSITY                     0x0B62
#define GL_FOG_START                       0x0B63
#define GL_FOG_END                         0x0B64
#define GL_FOG_COLOR                       0x0B66

/* Attribute groups of glPushAttrib */
#define GL_CURRENT_BIT                     1
#define GL_POINT_BIT                       2
#define GL_LINE_BIT                        4
#define GL_POLYGON_BIT                     8
#define GL_POLYGON_STIPPLE_BIT             0x0010
#define GL_PIXEL_MODE_BIT                  0x0020
#define GL_LIGHTING_BIT                    0x0040
#define GL_FOG_BIT                         0x0080
#define GL_ACCUM_BUFFER_BIT                0x0200
#define GL_VIEWPORT_BIT                    0x0800
#define GL_TRANSFORM_BIT                   0x1000
#define GL_ENABLE_BIT                      0x2000
#define GL_HINT_BIT                        0x8000
#define GL_EVAL_BIT                        0x10000
#define GL_LIST_BIT                        0x20000
#define GL_TEXTURE_BIT                     0x40000
#define GL_SCISSOR_BIT                     0x80000

/* What glHint is about */
#define GL_PERSPECTIVE_CORRECTION_HINT     0x0C50
#define GL_POINT_SMOOTH_HINT               0x0C51
#define GL_LINE_SMOOTH_HINT                0x0C52
#define GL_POLYGON_SMOOTH_HINT             0x0C53
#define GL_FOG_HINT                        0x0C54
#define GL_GENERATE_MIPMAP_HINT            0x8192

/* Hints */
#define GL_DONT_CARE                       0x1100
#define GL_FASTEST                         0x1101
#define GL_NICEST                          0x1102

/* Vertex arrays */
#define GL_VERTEX_ARRAY                    0x8074
#define GL_NORMAL_ARRAY                    0x8075
#define GL_COLOR_ARRAY                     0x8076
#define GL_TEXTURE_COORD_ARRAY             0x8078

/* Types of a vertex array's components */
#define GL_BYTE                            0x1400
#define GL_UNSIGNED_BYTE                   0x1401
#define GL_SHORT                           0x1402
#define GL_UNSIGNED_SHORT                  0x1403
#define GL_INT                             0x1404
#define GL_UNSIGNED_INT                    0x1405
#define GL_FLOAT                           0x1406
#define GL_DOUBLE                          0x140A

/* Types of indices */

/* Values of texture parameters */
#define GL_NEAREST                         0x2600
#define GL_NEAREST_MIPMAP_NEAREST          0x2700
#define GL_LINEAR_MIPMAP_NEAREST           0x2701
#define GL_NEAREST_MIPMAP_LINEAR           0x2702
#define GL_LINEAR_MIPMAP_LINEAR            0x2703
#define GL_CLAMP                           0x2900
#define GL_REPEAT                          0x2901
#define GL_CLAMP_TO_EDGE                   0x812F
#define GL_MIRRORED_REPEAT                 0x8370
#define GL_ALL_ATTRIB_BITS                 0xFFFFFFFF

/* Types of lists of names */
#define GL_2_BYTES                         0x1407
#define GL_3_BYTES                         0x1408
#define GL_4_BYTES                         0x1409

/* Display lists */
#define GL_COMPILE                         0x1300
#define GL_COMPILE_AND_EXECUTE             0x1301
#define GL_LIST_BASE                       0x0B32
#define GL_LIST_INDEX                      0x0B33

/* Names of parameters */
#define GL_FOG_MODE                        0x0B65
#define GL_TEXTURE_ENV                     0x2300
#define GL_TEXTURE_ENV_MODE                0x2200
#define GL_TEXTURE_ENV_COLOR               0x2201
#define GL_TEXTURE_GEN_MODE                0x2500
#define GL_GENERATE_MIPMAP                 0x8191
#define GL_UNPACK_ALIGNMENT                0x0CF5
#define GL_UNPACK_ROW_LENGTH               0x0CF2
#define GL_SOURCE0_RGB                     0x8580
#define GL_SOURCE1_RGB                     0x8581
#define GL_SOURCE2_RGB                     0x8582
#define GL_SOURCE0_ALPHA                   0x8588
#define GL_SOURCE1_ALPHA                   0x8589
#define GL_SOURCE2_ALPHA                   0x858A

/* Pixels */
#define GL_ALPHA                           0x1906
#define GL_RGB                             0x1907
#define GL_RGBA                            0x1908
#define GL_LUMINANCE                       0x1909
#define GL_LUMINANCE_ALPHA                 0x190A
#define GL_BGRA                            0x80E1
#define GL_ALPHA8                          0x803C
#define GL_LUMINANCE8                      0x8040
#define GL_LUMINANCE8_ALPHA8               0x8045
#define GL_RGB8                            0x8051
#define GL_RGBA8                           0x8058

/* Buffers */
#define GL_ARRAY_BUFFER                    0x8892
#define GL_ELEMENT_ARRAY_BUFFER            0x8893
#define GL_STREAM_DRAW                     0x88E0
#define GL_STATIC_DRAW                     0x88E4
#define GL_DYNAMIC_DRAW                    0x88E8

/* What glGet knows */
#define GL_VIEWPORT                        0x0BA2
#define GL_ACTIVE_TEXTURE                  0x84E0
#define GL_TEXTURE_BINDING_2D              0x8069
#define GL_ARRAY_BUFFER_BINDING            0x8894
#define GL_ELEMENT_ARRAY_BUFFER_BINDING    0x8895
#define GL_MAX_TEXTURE_SIZE                0x0D33
#define GL_MAX_TEXTURE_UNITS               0x84E2
#define GL_MAX_LIGHTS                      0x0D31
#define GL_MAX_CLIP_PLANES                 0x0D32
#define GL_MAX_LIST_NESTING                0x0B31
#define GL_MAX_ATTRIB_STACK_DEPTH          0x0D35
#define GL_MAX_MODELVIEW_STACK_DEPTH       0x0D36
#define GL_MAX_PROJECTION_STACK_DEPTH      0x0D38
#define GL_MAX_TEXTURE_STACK_DEPTH         0x0D39
#define GL_MAX_VIEWPORT_DIMS               0x0D3A
#define GL_RED_BITS                        0x0D52
#define GL_GREEN_BITS                      0x0D53
#define GL_BLUE_BITS                       0x0D54
#define GL_ALPHA_BITS                      0x0D55
#define GL_DEPTH_BITS                      0x0D56
#define GL_STENCIL_BITS                    0x0D57
#define GL_RGBA_MODE                       0x0C31
#define GL_DOUBLEBUFFER                    0x0C32
#define GL_VENDOR                          0x1F00
#define GL_RENDERER                        0x1F01
#define GL_VERSION                         0x1F02
#define GL_EXTENSIONS                      0x1F03
#define GL_MATRIX_MODE                     0x0BA0

/* Names of extensions that became part of OpenGL. */
#define GL_TEXTURE0_ARB GL_TEXTURE0
#define GL_TEXTURE1_ARB GL_TEXTURE1
#define GL_BGRA_EXT GL_BGRA
#define GL_RESCALE_NORMAL_EXT GL_RESCALE_NORMAL
#define GL_CLAMP_TO_EDGE_SGIS GL_CLAMP_TO_EDGE
#define GL_GENERATE_MIPMAP_SGIS GL_GENERATE_MIPMAP
#define glActiveTextureARB glActiveTexture
#define glClientActiveTextureARB glClientActiveTexture
#define glMultiTexCoord2fARB glMultiTexCoord2f
#define glMultiTexCoord2fvARB glMultiTexCoord2fv

/* ---- OpenGL: calls ---- */

/* Vertices and their attributes */
void glBegin(GLenum mode);
void glEnd(void);
void glVertex2s(GLshort x, GLshort y);
void glVertex2sv(const GLshort *v);
void glVertex2i(GLint x, GLint y);
void glVertex2iv(const GLint *v);
void glVertex2f(GLfloat x, GLfloat y);
void glVertex2fv(const GLfloat *v);
void glVertex2d(GLdouble x, GLdouble y);
void glVertex2dv(const GLdouble *v);
void glVertex3s(GLshort x, GLshort y, GLshort z);
void glVertex3sv(const GLshort *v);
void glVertex3i(GLint x, GLint y, GLint z);
void glVertex3iv(const GLint *v);
void glVertex3f(GLfloat x, GLfloat y, GLfloat z);
void glVertex3fv(const GLfloat *v);
void glVertex3d(GLdouble x, GLdouble y, GLdouble z);
void glVertex3dv(const GLdouble *v);
void glVertex4s(GLshort x, GLshort y, GLshort z, GLshort w);
void glVertex4sv(const GLshort *v);
void glVertex4i(GLint x, GLint y, GLint z, GLint w);
void glVertex4iv(const GLint *v);
void glVertex4f(GLfloat x, GLfloat y, GLfloat z, GLfloat w);
void glVertex4fv(const GLfloat *v);
void glVertex4d(GLdouble x, GLdouble y, GLdouble z, GLdouble w);
void glVertex4dv(const GLdouble *v);
void glNormal3b(GLbyte nx, GLbyte ny, GLbyte nz);
void glNormal3bv(const GLbyte *v);
void glNormal3s(GLshort nx, GLshort ny, GLshort nz);
void glNormal3sv(const GLshort *v);
void glNormal3i(GLint nx, GLint ny, GLint nz);
void glNormal3iv(const GLint *v);
void glNormal3f(GLfloat nx, GLfloat ny, GLfloat nz);
void glNormal3fv(const GLfloat *v);
void glNormal3d(GLdouble nx, GLdouble ny, GLdouble nz);
void glNormal3dv(const GLdouble *v);
void glColor3b(GLbyte red, GLbyte green, GLbyte blue);
void glColor3bv(const GLbyte *v);
void glColor3s(GLshort red, GLshort green, GLshort blue);
void glColor3sv(const GLshort *v);
void glColor3i(GLint red, GLint green, GLint blue);
void glColor3iv(const GLint *v);
void glColor3ub(GLubyte red, GLubyte green, GLubyte blue);
void glColor3ubv(const GLubyte *v);
void glColor3us(GLushort red, GLushort green, GLushort blue);
void glColor3usv(const GLushort *v);
void glColor3ui(GLuint red, GLuint green, GLuint blue);
void glColor3uiv(const GLuint *v);
void glColor3f(GLfloat red, GLfloat green, GLfloat blue);
void glColor3fv(const GLfloat *v);
void glColor3d(GLdouble red, GLdouble green, GLdouble blue);
void glColor3dv(const GLdouble *v);
void glColor4b(GLbyte red, GLbyte green, GLbyte blue, GLbyte alpha);
void glColor4bv(const GLbyte *v);
void glColor4s(GLshort red, GLshort green, GLshort blue, GLshort alpha);
void glColor4sv(const GLshort *v);
void glColor4i(GLint red, GLint green, GLint blue, GLint alpha);
void glColor4iv(const GLint *v);
void glColor4ub(GLubyte red, GLubyte green, GLubyte blue, GLubyte alpha);
void glColor4ubv(const GLubyte *v);
void glColor4us(GLushort red, GLushort green, GLushort blue, GLushort alpha);
void glColor4usv(const GLushort *v);
void glColor4ui(GLuint red, GLuint green, GLuint blue, GLuint alpha);
void glColor4uiv(const GLuint *v);
void glColor4f(GLfloat red, GLfloat green, GLfloat blue, GLfloat alpha);
void glColor4fv(const GLfloat *v);
void glColor4d(GLdouble red, GLdouble green, GLdouble blue, GLdouble alpha);
void glColor4dv(const GLdouble *v);
void glTexCoord1s(GLshort s);
void glTexCoord1sv(const GLshort *v);
void glTexCoord1i(GLint s);
void glTexCoord1iv(const GLint *v);
void glTexCoord1f(GLfloat s);
void glTexCoord1fv(const GLfloat *v);
void glTexCoord1d(GLdouble s);
void glTexCoord1dv(const GLdouble *v);
void glTexCoord2s(GLshort s, GLshort t);
void glTexCoord2sv(const GLshort *v);
void glTexCoord2i(GLint s, GLint t);
void glTexCoord2iv(const GLint *v);
void glTexCoord2f(GLfloat s, GLfloat t);
void glTexCoord2fv(const GLfloat *v);
void glTexCoord2d(GLdouble s, GLdouble t);
void glTexCoord2dv(const GLdouble *v);
void glTexCoord3s(GLshort s, GLshort t, GLshort r);
void glTexCoord3sv(const GLshort *v);
void glTexCoord3i(GLint s, GLint t, GLint r);
void glTexCoord3iv(const GLint *v);
void glTexCoord3f(GLfloat s, GLfloat t, GLfloat r);
void glTexCoord3fv(const GLfloat *v);
void glTexCoord3d(GLdouble s, GLdouble t, GLdouble r);
void glTexCoord3dv(const GLdouble *v);
void glTexCoord4s(GLshort s, GLshort t, GLshort r, GLshort q);
void glTexCoord4sv(const GLshort *v);
void glTexCoord4i(GLint s, GLint t, GLint r, GLint q);
void glTexCoord4iv(const GLint *v);
void glTexCoord4f(GLfloat s, GLfloat t, GLfloat r, GLfloat q);
void glTexCoord4fv(const GLfloat *v);
void glTexCoord4d(GLdouble s, GLdouble t, GLdouble r, GLdouble q);
void glTexCoord4dv(const GLdouble *v);
void glMultiTexCoord1s(GLenum target, GLshort s);
void glMultiTexCoord1sv(GLenum target, const GLshort *v);
void glMultiTexCoord1i(GLenum target, GLint s);
void glMultiTexCoord1iv(GLenum target, const GLint *v);
void glMultiTexCoord1f(GLenum target, GLfloat s);
void glMultiTexCoord1fv(GLenum target, const GLfloat *v);
void glMultiTexCoord1d(GLenum target, GLdouble s);
void glMultiTexCoord1dv(GLenum target, const GLdouble *v);
void glMultiTexCoord2s(GLenum target, GLshort s, GLshort t);
void glMultiTexCoord2sv(GLenum target, const GLshort *v);
void glMultiTexCoord2i(GLenum target, GLint s, GLint t);
void glMultiTexCoord2iv(GLenum target, const GLint *v);
void glMultiTexCoord2f(GLenum target, GLfloat s, GLfloat t);
void glMultiTexCoord2fv(GLenum target, const GLfloat *v);
void glMultiTexCoord2d(GLenum target, GLdouble s, GLdouble t);
void glMultiTexCoord2dv(GLenum target, const GLdouble *v);
void glMultiTexCoord3s(GLenum target, GLshort s, GLshort t, GLshort r);
void glMultiTexCoord3sv(GLenum target, const GLshort *v);
void glMultiTexCoord3i(GLenum target, GLint s, GLint t, GLint r);
void glMultiTexCoord3iv(GLenum target, const GLint *v);
void glMultiTexCoord3f(GLenum target, GLfloat s, GLfloat t, GLfloat r);
void glMultiTexCoord3fv(GLenum target, const GLfloat *v);
void glMultiTexCoord3d(GLenum target, GLdouble s, GLdouble t, GLdouble r);
void glMultiTexCoord3dv(GLenum target, const GLdouble *v);
void glMultiTexCoord4s(GLenum target, GLshort s, GLshort t, GLshort r, GLshort q);
void glMultiTexCoord4sv(GLenum target, const GLshort *v);
void glMultiTexCoord4i(GLenum target, GLint s, GLint t, GLint r, GLint q);
void glMultiTexCoord4iv(GLenum target, const GLint *v);
void glMultiTexCoord4f(GLenum target, GLfloat s, GLfloat t, GLfloat r, GLfloat q);
void glMultiTexCoord4fv(GLenum target, const GLfloat *v);
void glMultiTexCoord4d(GLenum target, GLdouble s, GLdouble t, GLdouble r, GLdouble q);
void glMultiTexCoord4dv(GLenum target, const GLdouble *v);
void glRects(GLshort x1, GLshort y1, GLshort x2, GLshort y2);
void glRectsv(const GLshort *v1, const GLshort *v2);
void glRecti(GLint x1, GLint y1, GLint x2, GLint y2);
void glRectiv(const GLint *v1, const GLint *v2);
void glRectf(GLfloat x1, GLfloat y1, GLfloat x2, GLfloat y2);
void glRectfv(const GLfloat *v1, const GLfloat *v2);
void glRectd(GLdouble x1, GLdouble y1, GLdouble x2, GLdouble y2);
void glRectdv(const GLdouble *v1, const GLdouble *v2);
void glMaterialf(GLenum face, GLenum pname, GLfloat param);
void glMateriali(GLenum face, GLenum pname, GLint param);
void glMaterialfv(GLenum face, GLenum pname, const GLfloat *params);
void glMaterialiv(GLenum face, GLenum pname, const GLint *params);
void glNormalPointer(GLenum type, GLsizei stride, const void *ptr);

/* Matrices */
void glMatrixMode(GLenum mode);
void glLoadIdentity(void);
void glPushMatrix(void);
void glPopMatrix(void);
void glTranslatef(GLfloat x, GLfloat y, GLfloat z);
void glTranslated(GLdouble x, GLdouble y, GLdouble z);
void glRotatef(GLfloat angle, GLfloat x, GLfloat y, GLfloat z);
void glRotated(GLdouble angle, GLdouble x, GLdouble y, GLdouble z);
void glScalef(GLfloat x, GLfloat y, GLfloat z);
void glScaled(GLdouble x, GLdouble y, GLdouble z);
void glFrustum(GLdouble left, GLdouble right, GLdouble bottom, GLdouble top, GLdouble near_val, GLdouble far_val);
void glOrtho(GLdouble left, GLdouble right, GLdouble bottom, GLdouble top, GLdouble near_val, GLdouble far_val);
void glLoadMatrixf(const GLfloat *m);
void glLoadMatrixd(const GLdouble *m);
void glMultMatrixf(const GLfloat *m);
void glMultMatrixd(const GLdouble *m);

/* Lights, fog, texture environment and coordinates */
void glShadeModel(GLenum mode);
void glColorMaterial(GLenum face, GLenum mode);
void glLightf(GLenum light, GLenum pname, GLfloat param);
void glLighti(GLenum light, GLenum pname, GLint param);
void glLightfv(GLenum light, GLenum pname, const GLfloat *params);
void glLightiv(GLenum light, GLenum pname, const GLint *params);
void glLightModelf(GLenum pname, GLfloat param);
void glLightModeli(GLenum pname, GLint param);
void glLightModelfv(GLenum pname, const GLfloat *params);
void glLightModeliv(GLenum pname, const GLint *params);
void glFogf(GLenum pname, GLfloat param);
void glFogi(GLenum pname, GLint param);
void glFogfv(GLenum pname, const GLfloat *params);
void glFogiv(GLenum pname, const GLint *params);
void glTexEnvf(GLenum target, GLenum pname, GLfloat param);
void glTexEnvi(GLenum target, GLenum pname, GLint param);
void glTexEnvfv(GLenum target, GLenum pname, const GLfloat *params);
void glTexEnviv(GLenum target, GLenum pname, const GLint *params);
void glTexGenf(GLenum coord, GLenum pname, GLfloat param);
void glTexGend(GLenum coord, GLenum pname, GLdouble param);
void glTexGeni(GLenum coord, GLenum pname, GLint param);
void glTexGenfv(GLenum coord, GLenum pname, const GLfloat *params);
void glTexGendv(GLenum coord, GLenum pname, const GLdouble *params);
void glTexGeniv(GLenum coord, GLenum pname, const GLint *params);

/* Textures */
void glActiveTexture(GLenum texture);
void glGenTextures(GLsizei n, GLuint *textures);
void glDeleteTextures(GLsizei n, const GLuint *textures);
GLboolean glIsTexture(GLuint texture);
void glBindTexture(GLenum target, GLuint texture);
void glPixelStorei(GLenum pname, GLint param);
void glTexImage2D(GLenum target, GLint level, GLint internalFormat, GLsizei width, GLsizei height, GLint border,
    GLenum format, GLenum type, const void *pixels);
void glTexSubImage2D(GLenum target, GLint level, GLint xoffset, GLint yoffset, GLsizei width, GLsizei height,
    GLenum format, GLenum type, const void *pixels);
void glTexParameterf(GLenum target, GLenum pname, GLfloat param);
void glTexParameteri(GLenum target, GLenum pname, GLint param);
void glTexParameterfv(GLenum target, GLenum pname, const GLfloat *params);
void glTexParameteriv(GLenum target, GLenum pname, const GLint *params);

/* Display lists */
void glCallLists(GLsizei n, GLenum type, const void *lists);
void glCallList(GLuint list);
GLuint glGenLists(GLsizei range);
void glNewList(GLuint list, GLenum mode);
void glEndList(void);
void glListBase(GLuint base);
void glDeleteLists(GLuint list, GLsizei range);
GLboolean glIsList(GLuint list);

/* Vertex arrays and buffers */
void glClientActiveTexture(GLenum texture);
void glVertexPointer(GLint size, GLenum type, GLsizei stride, const void *ptr);
void glColorPointer(GLint size, GLenum type, GLsizei stride, const void *ptr);
void glTexCoordPointer(GLint size, GLenum type, GLsizei stride, const void *ptr);
void glEnableClientState(GLenum cap);
void glDisableClientState(GLenum cap);
void glArrayElement(GLint i);
void glDrawArrays(GLenum mode, GLint first, GLsizei count);
void glDrawElements(GLenum mode, GLsizei count, GLenum type, const void *indices);
void glDrawRangeElements(GLenum mode, GLuint start, GLuint end, GLsizei count, GLenum type, const void *indices);
void glGenBuffers(GLsizei n, GLuint *buffers);
void glDeleteBuffers(GLsizei n, const GLuint *buffers);
GLboolean glIsBuffer(GLuint buffer);
void glBindBuffer(GLenum target, GLuint buffer);
void glBufferData(GLenum target, GLsizeiptr size, const void *data, GLenum usage);
void glBufferSubData(GLenum target, GLintptr offset, GLsizeiptr size, const void *data);

/* Queries */
GLenum glGetError(void);
void glGetIntegerv(GLenum pname, GLint *params);
void glGetFloatv(GLenum pname, GLfloat *params);
void glGetDoublev(GLenum pname, GLdouble *params);
void glGetBooleanv(GLenum pname, GLboolean *params);
GLboolean glIsEnabled(GLenum cap);
void glFlush(void);
void glFinish(void);
const GLubyte *glGetString(GLenum name);

/* State */
void glCullFace(GLenum mode);
void glFrontFace(GLenum mode);
void glDepthFunc(GLenum func);
void glDepthMask(GLboolean flag);
void glDepthRange(GLclampd near_val, GLclampd far_val);
void glColorMask(GLboolean red, GLboolean green, GLboolean blue, GLboolean alpha);
void glBlendFunc(GLenum sfactor, GLenum dfactor);
void glBlendFuncSeparate(GLenum sfactorRGB, GLenum dfactorRGB, GLenum sfactorAlpha, GLenum dfactorAlpha);
void glBlendEquation(GLenum mode);
void glBlendEquationSeparate(GLenum modeRGB, GLenum modeAlpha);
void glBlendColor(GLclampf red, GLclampf green, GLclampf blue, GLclampf alpha);
void glLogicOp(GLenum opcode);
void glAlphaFunc(GLenum func, GLclampf ref);
void glScissor(GLint x, GLint y, GLsizei width, GLsizei height);
void glClearColor(GLclampf red, GLclampf green, GLclampf blue, GLclampf alpha);
void glClearDepth(GLclampd depth);
void glClearStencil(GLint s);
void glClear(GLbitfield mask);
void glStencilFunc(GLenum func, GLint ref, GLuint mask);
void glStencilOp(GLenum fail, GLenum zfail, GLenum zpass);
void glStencilMask(GLuint mask);
void glPointSize(GLfloat size);
void glLineWidth(GLfloat width);
void glPolygonMode(GLenum face, GLenum mode);
void glPolygonOffset(GLfloat factor, GLfloat units);
void glPopAttrib(void);
void glHint(GLenum target, GLenum mode);
void glEnable(GLenum cap);
void glDisable(GLenum cap);
void glViewport(GLint x, GLint y, GLsizei width, GLsizei height);
void glPushAttrib(GLbitfield mask);
void glClipPlane(GLenum plane, const GLdouble *equation);
void glPointParameterf(GLenum pname, GLfloat param);
void glPointParameteri(GLenum pname, GLint param);
void glPointParameterfv(GLenum pname, const GLfloat *params);
void glPointParameteriv(GLenum pname, const GLint *params);

/* ---- GLU ---- */

#define GLU_SMOOTH                            100000
#define GLU_FLAT                              100001
#define GLU_NONE                              100002
#define GLU_POINT                             100010
#define GLU_LINE                              100011
#define GLU_FILL                              100012
#define GLU_SILHOUETTE                        100013
#define GLU_OUTSIDE                           100020
#define GLU_INSIDE                            100021

typedef struct GLUquadric GLUquadric;
typedef GLUquadric GLUquadricObj;

/* gluBuild2DMipmaps scales to powers of two by averages. Quadrics have the vertices of SGI's GLU. */
GLint gluBuild2DMipmaps(GLenum target, GLint internalFormat, GLsizei width, GLsizei height, GLenum format,
    GLenum type, const void *data);
void gluCylinder(GLUquadric *quad, GLdouble base, GLdouble top, GLdouble height, GLint slices, GLint stacks);
void gluDeleteQuadric(GLUquadric *quad);
void gluDisk(GLUquadric *quad, GLdouble inner, GLdouble outer, GLint slices, GLint loops);
const GLubyte *gluErrorString(GLenum error);
void gluLookAt(GLdouble eyeX, GLdouble eyeY, GLdouble eyeZ, GLdouble centerX, GLdouble centerY, GLdouble centerZ,
    GLdouble upX, GLdouble upY, GLdouble upZ);
GLUquadric *gluNewQuadric(void);
void gluOrtho2D(GLdouble left, GLdouble right, GLdouble bottom, GLdouble top);
void gluPartialDisk(GLUquadric *quad, GLdouble inner, GLdouble outer, GLint slices, GLint loops, GLdouble start,
    GLdouble sweep);
void gluPerspective(GLdouble fovy, GLdouble aspect, GLdouble zNear, GLdouble zFar);
void gluPickMatrix(GLdouble x, GLdouble y, GLdouble delX, GLdouble delY, GLint *viewport);
void gluQuadricDrawStyle(GLUquadric *quad, GLenum draw);
void gluQuadricNormals(GLUquadric *quad, GLenum normal);
void gluQuadricOrientation(GLUquadric *quad, GLenum orientation);
void gluQuadricTexture(GLUquadric *quad, GLboolean texture);
void gluSphere(GLUquadric *quad, GLdouble radius, GLint slices, GLint stacks);

/* ---- Registers ---- */

/*
 * A number for a call with `_r`: a constant, or a virtual register, 0 to 31, whose value is read when the call is run.
 * Registers hold floats, and outlive the callbacks. For integers (glViewport_r) they are truncated.
 */
typedef struct BlinkValue {
    unsigned int kind;
    float constant;
    unsigned int word;
} BlinkValue;

/* A constant. */
static inline BlinkValue blinkConst(double number)
{
    BlinkValue value;
    value.kind = 0;
    value.constant = (float)number;
    value.word = 0;
    return value;
}

/* A register. */
static inline BlinkValue blinkReg(unsigned int number)
{
    BlinkValue value;
    value.kind = 1;
    value.constant = 0.0f;
    value.word = number;
    return value;
}

/* 32 bits as they are: for the masks of glStencilFunc_r and glStencilMask_r, blinkMov, blinkNotify. */
static inline BlinkValue blinkBits(unsigned int bits)
{
    BlinkValue value;
    value.kind = 2;
    value.constant = 0.0f;
    value.word = bits;
    return value;
}

/* Arithmetic: register `d` becomes... */
void blinkMov(GLuint d, BlinkValue a);                             /* a, all 32 bits */
void blinkAdd(GLuint d, BlinkValue a, BlinkValue b);               /* a + b */
void blinkSub(GLuint d, BlinkValue a, BlinkValue b);               /* a - b */
void blinkMul(GLuint d, BlinkValue a, BlinkValue b);               /* a * b */
void blinkDiv(GLuint d, BlinkValue a, BlinkValue b);               /* a / b */
void blinkMin(GLuint d, BlinkValue a, BlinkValue b);               /* the lesser */
void blinkMax(GLuint d, BlinkValue a, BlinkValue b);               /* the greater */
void blinkNeg(GLuint d, BlinkValue a);                             /* -a */
void blinkAbs(GLuint d, BlinkValue a);                             /* |a| */
void blinkFloor(GLuint d, BlinkValue a);                           /* a, rounded down */
void blinkFract(GLuint d, BlinkValue a);                           /* a - floor(a) */
void blinkSqrt(GLuint d, BlinkValue a);                            /* square root */
void blinkSin(GLuint d, BlinkValue a);                             /* sine of radians */
void blinkCos(GLuint d, BlinkValue a);                             /* cosine of radians */
void blinkAtan2(GLuint d, BlinkValue y, BlinkValue x);             /* angle of (x, y) in radians */
void blinkCmp(GLuint d, GLenum predicate, BlinkValue a, BlinkValue b); /* 1 if it holds, else 0 */
void blinkSelect(GLuint d, BlinkValue c, BlinkValue a, BlinkValue b);  /* a if c is not 0, else b */

/* Predicates. With a NaN only BLINK_NE holds. */
#define BLINK_LT 0
#define BLINK_LE 1
#define BLINK_EQ 2
#define BLINK_NE 3
#define BLINK_GE 4
#define BLINK_GT 5

/* Register `d` becomes a piece of external state. */
void blinkRead(GLuint d, GLenum what);

#define BLINK_READ_TIME          0   /* seconds of the server's clock; loses precision with the hours */
#define BLINK_READ_FRAME         1   /* number of the picture */
#define BLINK_READ_REFRESH       2   /* seconds from picture to picture */
#define BLINK_READ_X             3   /* left edge of the window on the output, pixels */
#define BLINK_READ_Y             4   /* top edge of the window on the output, pixels */
#define BLINK_READ_WIDTH         5   /* width of the window, pixels */
#define BLINK_READ_HEIGHT        6   /* height of the window, pixels */
#define BLINK_READ_SCALE         7   /* pixels per point */
#define BLINK_READ_POINTER_X     8   /* pointer, pixels from the window's left edge */
#define BLINK_READ_POINTER_Y     9   /* pointer, pixels from the window's lower edge (as in OpenGL) */
#define BLINK_READ_BUTTONS       10  /* buttons held, bit 0 left, 1 middle, 2 right */
#define BLINK_READ_WHEEL         11  /* wheel steps of this event, positive away from the user; 0 outside `input` */
#define BLINK_READ_KEY           12  /* key of this event, a Linux evdev code; 0 for none or outside `input` */
#define BLINK_READ_KEY_STATE     13  /* 1 if that key went down, 0 if it went up */
#define BLINK_READ_FOCUS         14  /* 1 if the window has the keyboard focus */
#define BLINK_READ_EVENT         15  /* why `input` runs: 1 pointer moved, 2 button, 3 wheel, 4 key, 5 focus, 6 the pointer left; 0 outside `input` */
#define BLINK_READ_POINTER_INSIDE 16 /* 1 while the pointer is over the window; else its place is the last one inside */

/* Register `d` becomes the time at which the picture will be seen: modulo `period` seconds, or since a moment of blinkTime.
 * Both are exact; an animation is a function of them. */
void blinkTimeMod(GLuint d, BlinkValue period);
void blinkTimeSince(GLuint d, double moment);

/* For tests: the calls above (and BLINK_READ_TIME) record this time, in seconds, as a constant. Negative: no more. */
void blinkFreezeTime(double seconds);

/* Asks for another picture after this one. */
void blinkRequestFrame(void);
/* Marks a rectangle, pixels from the window's lower left corner, as needing a redraw. */
void blinkDamage(BlinkValue x, BlinkValue y, BlinkValue width, BlinkValue height);
/* Sends a BLINK_EVENT_NOTIFY with this value. */
void blinkNotify(BlinkValue value);

/* Jumps go forward only: make a label, jump to it, bind it later in the same procedure. */
GLuint blinkLabel(void);
void blinkBind(GLuint label);
void blinkJmp(GLuint label);
void blinkJmpIf(GLenum predicate, BlinkValue a, BlinkValue b, GLuint label);

/* OpenGL's calls with registers. Where OpenGL takes an array of values, these take them one by one; what a
 * parameter does not need is ignored. */
void glVertex2f_r(BlinkValue x, BlinkValue y);
void glVertex3f_r(BlinkValue x, BlinkValue y, BlinkValue z);
void glVertex4f_r(BlinkValue x, BlinkValue y, BlinkValue z, BlinkValue w);
void glNormal3f_r(BlinkValue x, BlinkValue y, BlinkValue z);
void glColor3f_r(BlinkValue r, BlinkValue g, BlinkValue b);
void glColor4f_r(BlinkValue r, BlinkValue g, BlinkValue b, BlinkValue a);
void glTexCoord2f_r(BlinkValue s, BlinkValue t);
void glTexCoord4f_r(BlinkValue s, BlinkValue t, BlinkValue r, BlinkValue q);
void glMultiTexCoord2f_r(GLenum unit, BlinkValue s, BlinkValue t);
void glMultiTexCoord4f_r(GLenum unit, BlinkValue s, BlinkValue t, BlinkValue r, BlinkValue q);
void glMaterialf_r(GLenum face, GLenum pname, BlinkValue value);
void glMaterialfv_r(GLenum face, GLenum pname, BlinkValue a, BlinkValue b, BlinkValue c, BlinkValue d);
void glTranslatef_r(BlinkValue x, BlinkValue y, BlinkValue z);
void glRotatef_r(BlinkValue angle, BlinkValue x, BlinkValue y, BlinkValue z);
void glScalef_r(BlinkValue x, BlinkValue y, BlinkValue z);
void glFrustum_r(BlinkValue left, BlinkValue right, BlinkValue bottom, BlinkValue top, BlinkValue zNear,
    BlinkValue zFar);
void glOrtho_r(BlinkValue left, BlinkValue right, BlinkValue bottom, BlinkValue top, BlinkValue zNear,
    BlinkValue zFar);
void glDepthRange_r(BlinkValue zNear, BlinkValue zFar);
void glScissor_r(BlinkValue x, BlinkValue y, BlinkValue width, BlinkValue height);
void glViewport_r(BlinkValue x, BlinkValue y, BlinkValue width, BlinkValue height);
void glClearColor_r(BlinkValue r, BlinkValue g, BlinkValue b, BlinkValue a);
void glClearDepth_r(BlinkValue depth);
void glClearStencil_r(BlinkValue value);
void glPointSize_r(BlinkValue size);
void glLineWidth_r(BlinkValue width);
void glBlendColor_r(BlinkValue r, BlinkValue g, BlinkValue b, BlinkValue a);
void glAlphaFunc_r(GLenum func, BlinkValue reference);
void glStencilFunc_r(GLenum func, BlinkValue reference, BlinkValue mask);
void glStencilMask_r(BlinkValue mask);
void glPolygonOffset_r(BlinkValue factor, BlinkValue units);
void glPointParameterf_r(GLenum pname, BlinkValue value);
void glPointParameterfv_r(GLenum pname, BlinkValue a, BlinkValue b, BlinkValue c);
void glClipPlane_r(GLenum plane, BlinkValue a, BlinkValue b, BlinkValue c, BlinkValue d);
void glFogf_r(GLenum pname, BlinkValue value);
void glFogfv_r(GLenum pname, BlinkValue a, BlinkValue b, BlinkValue c, BlinkValue d);
void glLightf_r(GLenum light, GLenum pname, BlinkValue value);
void glLightfv_r(GLenum light, GLenum pname, BlinkValue a, BlinkValue b, BlinkValue c, BlinkValue d);
void glLightModelf_r(GLenum pname, BlinkValue value);
void glLightModelfv_r(GLenum pname, BlinkValue a, BlinkValue b, BlinkValue c, BlinkValue d);
void glTexGenfv_r(GLenum coordinate, GLenum plane, BlinkValue a, BlinkValue b, BlinkValue c, BlinkValue d);
void glLoadMatrixf_r(const BlinkValue *m);
void glMultMatrixf_r(const BlinkValue *m);
void glTexEnvf_r(GLenum target, GLenum pname, BlinkValue value);
void glTexEnvfv_r(GLenum target, GLenum pname, BlinkValue r, BlinkValue g, BlinkValue b, BlinkValue a);
void glRectf_r(BlinkValue x1, BlinkValue y1, BlinkValue x2, BlinkValue y2);

/* ---- Windows, procedures, registers ---- */

/* An object of the connection; 0 is none, or that a call failed. */
typedef unsigned int BlinkId;

/* Callbacks of a window. */
#define BLINK_INIT 0
#define BLINK_UPDATE 1
#define BLINK_RESHAPE 2
#define BLINK_REDRAW 3
#define BLINK_INPUT 4

/* Calls that return a GLboolean return GL_TRUE if they did what they say; blinkError tells why not. */

/* Connects to the server that BLINK_DISPLAY names, or to the default one; `name` is the program's, for the user. */
GLboolean blinkConnect(const char *name);
/* Ends the connection. All objects are gone. */
void blinkDisconnect(void);
/* The text of the last error. Valid until the next call. */
const char *blinkError(void);

/* Begins to record a procedure for a callback. */
GLboolean blinkBegin(GLenum callback);
/* Ends it and makes a procedure of it. */
BlinkId blinkEnd(void);
/* Ends it and replaces a procedure by it. */
GLboolean blinkEndInto(BlinkId procedure);

/* A window with a content of this size in pixels. The next commit shows it. */
BlinkId blinkCreateWindow(const char *title, int width, int height);
/* Changes of a window, by the next commit. */
GLboolean blinkWindowTitle(BlinkId window, const char *title);
GLboolean blinkWindowSize(BlinkId window, int width, int height);
GLboolean blinkWindowPosition(BlinkId window, int x, int y);
/* The window runs this procedure, for the callback that it was recorded for. */
GLboolean blinkWindowProcedure(BlinkId window, BlinkId procedure);
/* The window's procedures work on this register file; else on one of the window's own. */
GLboolean blinkWindowRegisters(BlinkId window, BlinkId registers);
/* Runs the window's update callback, after the next commit. */
GLboolean blinkRequestUpdate(BlinkId window);
/* Removes an object, by the next commit. */
GLboolean blinkDelete(BlinkId object);

/* A register file of 32 zeros. Once it is committed, it is read and written in place: procedures and program see
 * each other's values at once. */
BlinkId blinkCreateRegisters(void);
GLboolean blinkSetRegister(BlinkId registers, GLuint number, float value);
float blinkGetRegister(BlinkId registers, GLuint number);

/* Publishes everything that changed, all of it or nothing: windows, procedures, textures, buffers. */
GLboolean blinkCommit(void);

/* Seconds of the server's clock. */
double blinkTime(void);

/* ---- Events ---- */

#define BLINK_EVENT_NONE 0
#define BLINK_EVENT_POINTER 1   /* x, y, buttons */
#define BLINK_EVENT_BUTTON 2    /* x, y, buttons, button, pressed */
#define BLINK_EVENT_WHEEL 3     /* x, y, steps */
#define BLINK_EVENT_KEY 4       /* key, pressed */
#define BLINK_EVENT_FOCUS 5     /* pressed: gained */
#define BLINK_EVENT_RESHAPE 6   /* x, y on the output, width, height; the reshape callback has run */
#define BLINK_EVENT_CLOSE 7     /* the user asks the window to close */
#define BLINK_EVENT_PRESENTED 8 /* time: when a picture of the window was shown; only after blinkWantPresented */
#define BLINK_EVENT_NOTIFY 9    /* value, value_bits */
#define BLINK_EVENT_ERROR 10    /* the server refused something: blinkError */

typedef struct BlinkEvent {
    unsigned int type;
    BlinkId window;
    double time;             /* seconds of the server's clock */
    int x, y;                /* pixels from the window's upper left corner */
    int width, height;
    unsigned int buttons;    /* those held: bit 0 left, 1 middle, 2 right */
    int button;              /* the one that changed: 0 left, 1 middle, 2 right */
    int pressed;
    int steps;               /* positive away from the user */
    unsigned int key;        /* a Linux evdev code, as in <linux/input-event-codes.h> */
    float value;
    unsigned int value_bits;
} BlinkEvent;

/* Takes an event, if there is one: 1; else 0. */
int blinkPollEvent(BlinkEvent *event);
/* Waits for an event, at most so many seconds (negative: for ever): 1; 0 if none came; -1 if the server is gone. */
int blinkWaitEvent(double seconds, BlinkEvent *event);
/* Asks for BLINK_EVENT_PRESENTED events, or no more. */
GLboolean blinkWantPresented(GLboolean wanted);

#ifdef __cplusplus
}
#endif

#endif
